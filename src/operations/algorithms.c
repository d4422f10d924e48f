/* SPDX-License-Identifier: MIT */
/* The algorithms of the keys that verify access tokens, each once: that of new tokens comes first. */
#include "operations/operation.h"

static void add(struct output *output, enum algorithm algorithm)
{
	const char *name = algorithm_name(algorithm);
	size_t i = 0;
	while (output->algorithms[i] && output->algorithms[i] != name)
		i++;
	output->algorithms[i] = name;
}

enum outcome operation_algorithms(
	struct context *context, const struct input *input, struct output *output)
{
	const struct keyring *keyring = context->keyring;
	(void)input;
	add(output, keyring->current->algorithm);
	for (size_t i = 0; i < keyring->count; i++)
		add(output, keyring->keys[i].algorithm);
	return OUTCOME_OK;
}
