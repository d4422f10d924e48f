/* SPDX-License-Identifier: MIT */
/* The refresh token lives in a cookie that scripts cannot read, and is replaced with each use. */
#include "api/dialect.h"

static const struct input_member register_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	REQUIRED("password", password, VALUE_NEW_PASSWORD),
	OPTIONAL("full_name", full_name, VALUE_NAME),
	OPTIONAL("first_name", first_name, VALUE_NAME),
	OPTIONAL("last_name", last_name, VALUE_NAME),
	OPTIONAL("username", username, VALUE_USERNAME),
	INPUT_END,
};
static const struct input_member login_input[] = {
	LOGIN_NAME("email", "username"),
	REQUIRED("password", password, VALUE_PASSWORD),
	INPUT_END,
};
static const struct input_member cookie_input[] = {
	FROM_COOKIE("refresh_token", refresh_token),
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
	SHOW(UUID, "id", user.id),
	SHOW(TEXT, "email", user.email),
	SHOW(TEXT_OR_NULL, "username", user.username),
	SHOW(TEXT, "full_name", user.full_name),
	SHOW(BOOLEAN, "email_verified", user.email_verified),
	SHOW(TIME, "created_at", user.created_at),
	REPLY_END,
};
static const struct reply_member self[] = { USER, REPLY_END };
static const struct reply_member login_reply[] = {
	SHOW(TEXT, "access_token", access_token),
	SHOW(TEXT, "refresh_token", refresh_token),
	CONSTANT("token_type", "bearer"),
	REPLY_END,
};
static const struct reply_member refresh_reply[] = {
	SHOW(TEXT, "access_token", access_token),
	CONSTANT("token_type", "bearer"),
	REPLY_END,
};
static const struct reply_member logout_reply[] = { MESSAGE("Successfully logged out"), REPLY_END };
static const struct reply_member forgot_reply[] = { MESSAGE("Password reset email sent"),
	REPLY_END };
static const struct reply_member reset_reply[] = {
	MESSAGE("Password updated successfully"),
	REPLY_END,
};

static const struct route routes[] = {
	{ POST("/register", operation_register, 201), .input = register_input, .reply = self,
		.enumeration = ENUMERATION_REVEAL, .summary = "Register a new user" },
	{ POST("/login", operation_login, 200), .input = login_input, .reply = login_reply,
		.flags = ROUTE_SETS_COOKIE,
		.summary = "Log in with email (or username) and password" },
	{ POST("/refresh", operation_refresh, 200), .input = cookie_input, .reply = refresh_reply,
		.flags = ROUTE_READS_COOKIE | ROUTE_SETS_COOKIE,
		.summary = "Get a new access token with the refresh cookie, which is replaced" },
	{ POST("/logout", operation_logout, 200), .input = cookie_input, .reply = logout_reply,
		.flags = ROUTE_EITHER_TOKEN | ROUTE_READS_COOKIE | ROUTE_CLEARS_COOKIE,
		.summary = "End the session and clear the cookie" },
	{ POST("/forgot-password", operation_forgot, 200), .input = forgot_input,
		.reply = forgot_reply, .summary = "Request a password reset link" },
	{ POST("/reset-password/{token}", operation_reset, 200), .input = reset_input,
		.reply = reset_reply,
		.summary = "Set a new password with the token of a reset mail" },
	{ .path = NULL },
};

const struct dialect dialect_cookie = {
	.name = "cookie",
	.message_key = "message",
	.error_key = "detail",
	.rotates = true,
	.refresh_cookie = "refresh_token",
	.user = user,
	.self = self,
	.routes = routes,
};
