/* SPDX-License-Identifier: MIT */
/* The user under "user" and both tokens under "tokens"; messages and errors under "message". */
#include "api/dialect.h"

static const struct input_member register_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	REQUIRED("password", password, VALUE_NEW_PASSWORD),
	OPTIONAL("first_name", first_name, VALUE_NAME),
	OPTIONAL("last_name", last_name, VALUE_NAME),
	OPTIONAL("full_name", full_name, VALUE_NAME),
	OPTIONAL("username", username, VALUE_USERNAME),
	INPUT_END,
};
static const struct input_member login_input[] = {
	LOGIN_NAME("email", "username"),
	REQUIRED("password", password, VALUE_PASSWORD),
	INPUT_END,
};
static const struct input_member refresh_input[] = {
	REQUIRED("refresh", refresh_token, VALUE_TOKEN),
	INPUT_END,
};
static const struct input_member logout_input[] = {
	OPTIONAL("refresh", refresh_token, VALUE_TOKEN),
	INPUT_END,
};
static const struct input_member forgot_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	INPUT_END,
};
static const struct input_member reset_input[] = {
	REQUIRED("token", one_time_token, VALUE_TOKEN),
	REQUIRED("new_password", new_password, VALUE_NEW_PASSWORD),
	INPUT_END,
};

static const struct reply_member user[] = {
	SHOW(UUID, "id", user.id),
	SHOW(TEXT, "email", user.email),
	SHOW(TEXT, "first_name", user.first_name),
	SHOW(TEXT, "last_name", user.last_name),
	REPLY_END,
};
static const struct reply_member self[] = { OPEN("user"), USER, CLOSE, REPLY_END };
static const struct reply_member session_reply[] = {
	OPEN("user"),
	USER,
	CLOSE,
	OPEN("tokens"),
	SHOW(TEXT, "access", access_token),
	SHOW(TEXT, "refresh", refresh_token),
	CLOSE,
	REPLY_END,
};
static const struct reply_member refresh_reply[] = {
	SHOW(TEXT, "access", access_token),
	SHOW(TEXT_IF_GIVEN, "refresh", refresh_token),
	REPLY_END,
};
static const struct reply_member forgot_reply[] = {
	MESSAGE("If an account with that email exists, a password reset link has been sent."),
	REPLY_END,
};
static const struct reply_member reset_reply[] = {
	MESSAGE("Password has been reset successfully."),
	REPLY_END,
};

static const struct route routes[] = {
	{ POST("/register", operation_register, 201), .input = register_input,
		.reply = session_reply, .enumeration = ENUMERATION_REVEAL,
		.flags = ROUTE_OPENS_SESSION, .summary = "Register a new user and log in" },
	{ POST("/login", operation_login, 200), .input = login_input, .reply = session_reply,
		.summary = "Log in with email (or username) and password" },
	{ POST("/refresh", operation_refresh, 200), .input = refresh_input, .reply = refresh_reply,
		.summary = "Obtain a new access token with a refresh token" },
	{ POST("/logout", operation_logout, 204), .input = logout_input, .flags = ROUTE_PROTECTED,
		.summary = "End the session of the access token, and that of the refresh token" },
	{ POST("/password-reset/request", operation_forgot, 200), .input = forgot_input,
		.reply = forgot_reply, .summary = "Request a password reset link" },
	{ POST("/password-reset/confirm", operation_reset, 200), .input = reset_input,
		.reply = reset_reply,
		.summary = "Set a new password with the token of a reset mail" },
	{ .path = NULL },
};

const struct dialect dialect_nested = {
	.name = "nested",
	.message_key = "message",
	.error_key = "message",
	.user = user,
	.self = self,
	.routes = routes,
};
