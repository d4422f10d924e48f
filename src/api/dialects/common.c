/* SPDX-License-Identifier: MIT */
/* What every dialect serves, in its own envelopes, where its description does not say otherwise. */
#include "api/dialect.h"

static const struct input_member verify_input[] = {
	FROM_PATH("token", one_time_token),
	INPUT_END,
};
static const struct input_member resend_input[] = {
	REQUIRED("email", email, VALUE_EMAIL),
	INPUT_END,
};
static const struct input_member change_password_input[] = {
	REQUIRED("current_password", current_password, VALUE_PASSWORD),
	REQUIRED("new_password", new_password, VALUE_NEW_PASSWORD),
	INPUT_END,
};

static const struct reply_member self_reply[] = { SELF, REPLY_END };
static const struct reply_member logout_reply[] = { MESSAGE("Successfully logged out"), REPLY_END };
static const struct reply_member verify_reply[] = {
	MESSAGE("Email verified successfully"),
	REPLY_END,
};
static const struct reply_member resend_reply[] = {
	MESSAGE("If this email needs to be verified, a verification link has been sent"),
	REPLY_END,
};
static const struct reply_member change_password_reply[] = {
	MESSAGE("Password updated successfully"),
	REPLY_END,
};
static const struct reply_member health_reply[] = { CONSTANT("status", "ok"), REPLY_END };
static const struct reply_member document_reply[] = { { .kind = REPLY_DOCUMENT }, REPLY_END };

static const struct reply_member discovery_reply[] = { { .kind = REPLY_DISCOVERY }, REPLY_END };
static const struct reply_member openapi_reply[] = { { .kind = REPLY_OPENAPI }, REPLY_END };

static const struct override verify_overrides[] = {
	{ OUTCOME_INVALID_ONE_TIME_TOKEN, 0, "Invalid or expired verification token" },
	OVERRIDE_END,
};

const struct route common_routes[] = {
	{
		GET("/me", operation_find_self, 200),
		.reply = self_reply,
		.flags = ROUTE_PROTECTED,
		.summary = "The user of the access token",
	},
	{
		POST("/logout", operation_logout, 200),
		.reply = logout_reply,
		.flags = ROUTE_PROTECTED,
		.summary = "End the session of the access token",
	},
	{
		GET("/verify/{token}", operation_verify, 200),
		.head = operation_find_verification,
		.input = verify_input,
		.reply = verify_reply,
		.overrides = verify_overrides,
		.summary = "Verify an email with the token that was sent to it",
	},
	{
		POST("/verify/resend", operation_resend, 200),
		.input = resend_input,
		.reply = resend_reply,
		.summary = "Ask for another verification mail",
	},
	{
		POST("/change-password", operation_change_password, 200),
		.input = change_password_input,
		.reply = change_password_reply,
		.flags = ROUTE_PROTECTED,
		.summary = "Change the password; every other session ends",
	},
	{
		GET("/.well-known/jwks.json", operation_jwks, 200),
		.reply = document_reply,
		.summary = "The keys that verify access tokens (RFC 7517)",
	},
	{
		GET("/.well-known/openid-configuration", operation_algorithms, 200),
		.reply = discovery_reply,
		.summary = "Where verifiers that know the issuer find its keys (OpenID Connect "
			   "Discovery)",
	},
	{
		GET("/openapi.json", NULL, 200),
		.reply = openapi_reply,
		.summary = "This document",
	},
	{
		GET("/health", operation_health, 200),
		.reply = health_reply,
		.summary = "Whether the service can serve",
	},
	{ .path = NULL },
};
