// Time.
#pragma once
#include <stddef.h>
double clock_now(void);                                 // seconds, monotonic
void clock_iso(char out[32]);                           // wall clock, UTC: 2026-01-31T12:00:00Z
void clock_words(double seconds, char out[32]);         // "3 s", "2 min 05 s", "1 h 12 min"
