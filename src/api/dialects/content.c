/* SPDX-License-Identifier: MIT */
/* Users have names to log in with and integer keys, and come under "content"; messages stand under
 * "detail", errors under "error". */
#include "api/dialect.h"

static const struct input_member register_input[] = {
	REQUIRED("username", username, VALUE_USERNAME),
	REQUIRED("password", password, VALUE_NEW_PASSWORD),
	REQUIRED("email", email, VALUE_EMAIL),
	OPTIONAL("first_name", first_name, VALUE_NAME),
	OPTIONAL("last_name", last_name, VALUE_NAME),
	OPTIONAL("full_name", full_name, VALUE_NAME),
	INPUT_END,
};
static const struct input_member login_input[] = {
	LOGIN_NAME("username", "email"),
	REQUIRED("password", password, VALUE_PASSWORD),
	INPUT_END,
};
static const struct input_member refresh_input[] = {
	REQUIRED("refresh", refresh_token, VALUE_TOKEN),
	INPUT_END,
};
static const struct input_member logout_input[] = {
	REQUIRED("refresh_token", refresh_token, VALUE_TOKEN),
	INPUT_END,
};
static const struct input_member forgot_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	INPUT_END,
};
static const struct input_member reset_input[] = {
	FROM_PATH("token", one_time_token),
	REQUIRED("new_password", new_password, VALUE_NEW_PASSWORD),
	INPUT_END,
};

static const struct reply_member user[] = {
	SHOW(INTEGER, "pk", user.pk),
	SHOW(TEXT_OR_NULL, "username", user.username),
	SHOW(TEXT, "email", user.email),
	SHOW(TEXT, "first_name", user.first_name),
	SHOW(TEXT, "last_name", user.last_name),
	{ .kind = REPLY_NULL, .key = "profile_image" },
	REPLY_END,
};
static const struct reply_member self[] = { OPEN("content"), USER, CLOSE, REPLY_END };
static const struct reply_member register_reply[] = {
	OPEN("content"),
	USER,
	OPEN("tokens"),
	SHOW(TEXT, "refresh", refresh_token),
	SHOW(TEXT, "access", access_token),
	CLOSE,
	CLOSE,
	REPLY_END,
};
static const struct reply_member login_reply[] = {
	SHOW(TEXT, "refresh", refresh_token),
	SHOW(TEXT, "access", access_token),
	REPLY_END,
};
static const struct reply_member refresh_reply[] = {
	SHOW(TEXT, "access", access_token),
	SHOW(TEXT_IF_GIVEN, "refresh", refresh_token),
	REPLY_END,
};
static const struct reply_member logout_reply[] = { MESSAGE("Successfully logged out."),
	REPLY_END };
static const struct reply_member forgot_reply[] = {
	MESSAGE("If an account with that email exists, a password reset link has been sent."),
	REPLY_END,
};
static const struct reply_member reset_reply[] = { MESSAGE("Password reset successful."),
	REPLY_END };

static const struct override overrides[] = {
	{ OUTCOME_EMAIL_TAKEN, 400, NULL },
	{ OUTCOME_USERNAME_TAKEN, 400, NULL },
	{ OUTCOME_INVALID_CREDENTIALS, 0, "No active account found with the given credentials" },
	{ OUTCOME_INVALID_TOKEN, 0, "Token is invalid or expired" },
	OVERRIDE_END,
};
static const struct override logout_overrides[] = {
	{ OUTCOME_INVALID_INPUT, 0, "Refresh token required." },
	{ OUTCOME_MALFORMED_JSON, 0, "Refresh token required." },
	{ OUTCOME_INVALID_TOKEN, 400, "Invalid or expired refresh token." },
	OVERRIDE_END,
};

static const struct route routes[] = {
	{ POST("/register/", operation_register, 201), .input = register_input,
		.reply = register_reply, .enumeration = ENUMERATION_REVEAL,
		.flags = ROUTE_OPENS_SESSION, .summary = "Register a new user and log in" },
	{ POST("/login/", operation_login, 200), .input = login_input, .reply = login_reply,
		.summary = "Log in with username (or email) and password" },
	{ POST("/refresh/", operation_refresh, 200), .input = refresh_input, .reply = refresh_reply,
		.summary = "Get a new access token with a refresh token" },
	{ POST("/logout/", operation_logout, 200), .input = logout_input, .reply = logout_reply,
		.overrides = logout_overrides, .summary = "End the session of the refresh token" },
	{ POST("/password-reset/", operation_forgot, 200), .input = forgot_input,
		.reply = forgot_reply, .summary = "Request a password reset link" },
	{ POST("/password-reset/{token}/", operation_reset, 200), .input = reset_input,
		.reply = reset_reply,
		.summary = "Set a new password with the token of a reset mail" },
	{ .path = NULL },
};

const struct dialect dialect_content = {
	.name = "content",
	.message_key = "detail",
	.error_key = "error",
	.user = user,
	.self = self,
	.overrides = overrides,
	.routes = routes,
};
