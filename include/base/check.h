/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_CHECK_H
#define LATCHKEY_BASE_CHECK_H

/*
 * Ends the process (SIGABRT) where the condition is false, after a line on stderr that says which and
 * where; the supervisor starts another. Unlike assert() it is there in every build, NDEBUG or not: it
 * guards what memory, an answer or a row would be spoilt by. The condition is evaluated once, and must
 * not hold a secret in its text.
 */
#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
