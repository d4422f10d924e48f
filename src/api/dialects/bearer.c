/* SPDX-License-Identifier: MIT */
/* Access and refresh token side by side in the answer, messages under "message", errors under
 * "detail": the default dialect. */
#include "api/dialect.h"

static const struct input_member register_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	REQUIRED("password", password, VALUE_NEW_PASSWORD),
	REQUIRED("full_name", full_name, VALUE_NAME),
	OPTIONAL("first_name", first_name, VALUE_NAME),
	OPTIONAL("last_name", last_name, VALUE_NAME),
	OPTIONAL("username", username, VALUE_USERNAME),
	INPUT_END,
};
static const struct input_member login_input[] = {
	LOGIN_NAME("username", "email"),
	REQUIRED("password", password, VALUE_PASSWORD),
	INPUT_END,
};
static const struct input_member refresh_input[] = {
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
	REQUIRED("confirm_password", confirm_password, VALUE_PASSWORD),
	INPUT_END,
};

static const struct reply_member user[] = {
	SHOW(UUID, "id", user.id),
	SHOW(TEXT, "email", user.email),
	SHOW(TEXT_OR_NULL, "username", user.username),
	SHOW(TEXT, "full_name", user.full_name),
	SHOW(TEXT, "first_name", user.first_name),
	SHOW(TEXT, "last_name", user.last_name),
	SHOW(BOOLEAN, "email_verified", user.email_verified),
	SHOW(TIME, "created_at", user.created_at),
	REPLY_END,
};
static const struct reply_member register_reply[] = {
	MESSAGE("User registered successfully. Please check your email for verification."),
	REPLY_END,
};
static const struct reply_member login_reply[] = {
	SHOW(TEXT, "access_token", access_token),
	SHOW(TEXT, "refresh_token", refresh_token),
	CONSTANT("token_type", "bearer"),
	REPLY_END,
};
static const struct reply_member refresh_reply[] = {
	SHOW(TEXT, "access_token", access_token),
	SHOW(TEXT_IF_GIVEN, "refresh_token", refresh_token),
	CONSTANT("token_type", "bearer"),
	REPLY_END,
};
static const struct reply_member forgot_reply[] = {
	MESSAGE("Password reset instructions sent to your email"),
	REPLY_END,
};
static const struct reply_member reset_reply[] = { MESSAGE("Password reset successful"),
	REPLY_END };
static const struct reply_member self[] = { USER, REPLY_END };

static const struct override reset_overrides[] = {
	{ OUTCOME_INVALID_ONE_TIME_TOKEN, 0, "Invalid or expired reset token" },
	OVERRIDE_END,
};

static const struct route routes[] = {
	{
		POST("/register", operation_register, 201),
		.input = register_input,
		.reply = register_reply,
		.enumeration = ENUMERATION_CONFIGURED,
		.summary = "Register a new user",
	},
	{
		POST("/login", operation_login, 200),
		.input = login_input,
		.reply = login_reply,
		.summary = "Log in with email (or username) and password",
	},
	{
		POST("/refresh", operation_refresh, 200),
		.input = refresh_input,
		.reply = refresh_reply,
		.summary = "Get a new access token with a refresh token",
	},
	{
		POST("/password-reset", operation_forgot, 200),
		.input = forgot_input,
		.reply = forgot_reply,
		.enumeration = ENUMERATION_CONFIGURED,
		.summary = "Request a password reset link",
	},
	{
		POST("/password-reset/{token}", operation_reset, 200),
		.input = reset_input,
		.reply = reset_reply,
		.overrides = reset_overrides,
		.summary = "Set a new password with the token of a reset mail",
	},
	{ .path = NULL },
};

const struct dialect dialect_bearer = {
	.name = "bearer",
	.message_key = "message",
	.error_key = "detail",
	.user = user,
	.self = self,
	.routes = routes,
};
