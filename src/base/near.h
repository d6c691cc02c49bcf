// "did you mean": the names nearest to a misspelt one.
#pragma once
#include <stddef.h>

// Writes up to three names within a third of their length (Damerau-Levenshtein) as "'a', 'b' or 'c'", nearest first;
// an empty text when none is near. names[i] for i < count.
void near_names(const char *word, const char *const *names, size_t count, char *out, size_t room);
