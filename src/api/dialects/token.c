/* SPDX-License-Identifier: MIT */
/* Tokens are resources, paths end with a slash, messages and errors stand under "detail", and
 * invalid fields beside it: what clients of Django REST framework expect. */
#include "api/dialect.h"

static const struct input_member obtain_input[] = {
	LOGIN_NAME("email", "username"),
	REQUIRED("password", password, VALUE_PASSWORD),
	INPUT_END,
};
static const struct input_member refresh_input[] = {
	REQUIRED("refresh", refresh_token, VALUE_TOKEN),
	INPUT_END,
};
static const struct input_member register_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	REQUIRED("password", password, VALUE_NEW_PASSWORD),
	OPTIONAL("username", username, VALUE_USERNAME),
	OPTIONAL("full_name", full_name, VALUE_NAME),
	OPTIONAL("first_name", first_name, VALUE_NAME),
	OPTIONAL("last_name", last_name, VALUE_NAME),
	INPUT_END,
};
static const struct input_member forgot_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	INPUT_END,
};
static const struct input_member reset_input[] = {
	FROM_PATH("token", one_time_token),
	REQUIRED("password", new_password, VALUE_NEW_PASSWORD),
	INPUT_END,
};

static const struct reply_member user[] = {
	SHOW(UUID, "id", user.id),
	SHOW(TEXT, "email", user.email),
	SHOW(TEXT_OR_NULL, "username", user.username),
	SHOW(TEXT, "first_name", user.first_name),
	SHOW(TEXT, "last_name", user.last_name),
	SHOW(BOOLEAN, "email_verified", user.email_verified),
	SHOW(TIME, "created_at", user.created_at),
	REPLY_END,
};
static const struct reply_member self[] = { USER, REPLY_END };
static const struct reply_member obtain_reply[] = {
	SHOW(TEXT, "access", access_token),
	SHOW(TEXT, "refresh", refresh_token),
	REPLY_END,
};
static const struct reply_member refresh_reply[] = {
	SHOW(TEXT, "access", access_token),
	SHOW(TEXT_IF_GIVEN, "refresh", refresh_token),
	REPLY_END,
};
static const struct reply_member forgot_reply[] = {
	MESSAGE("A password reset link has been sent."),
	REPLY_END,
};
static const struct reply_member reset_reply[] = {
	MESSAGE("The password has been reset successfully."),
	REPLY_END,
};

static const struct override overrides[] = {
	{ OUTCOME_EMAIL_TAKEN, 400, NULL },
	{ OUTCOME_USERNAME_TAKEN, 400, NULL },
	OVERRIDE_END,
};

static const struct route routes[] = {
	{ POST("/token/", operation_login, 200), .input = obtain_input, .reply = obtain_reply,
		.summary = "Obtain tokens with email (or username) and password" },
	{ POST("/token/refresh/", operation_refresh, 200), .input = refresh_input,
		.reply = refresh_reply, .summary = "Refresh the access token" },
	{ POST("/register/", operation_register, 201), .input = register_input, .reply = self,
		.enumeration = ENUMERATION_REVEAL, .summary = "Register a new user" },
	{ POST("/reset-password/", operation_forgot, 200), .input = forgot_input,
		.reply = forgot_reply, .enumeration = ENUMERATION_CONFIGURED,
		.summary = "Request a password reset link" },
	{ POST("/reset-password/{token}/", operation_reset, 200), .input = reset_input,
		.reply = reset_reply,
		.summary = "Set a new password with the token of a reset mail" },
	{ .path = NULL },
};

const struct dialect dialect_token = {
	.name = "token",
	.message_key = "detail",
	.error_key = "detail",
	.errors_at_top = true,
	.user = user,
	.self = self,
	.overrides = overrides,
	.routes = routes,
};
