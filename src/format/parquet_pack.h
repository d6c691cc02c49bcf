// A row in the form in which it goes from the reader to the threads that make nodes of it: a letter for each value, then its bytes.
//
//   n   t   f        null, true, false          i  8 bytes     a whole number         d  8 bytes     a float
//   #  size  digits  a number, exact            s  size  bytes text                   l  count       a list, its elements
//   o  count         an object: of each member the name's size, the name, the value   m  count       a map: key and value of each entry
#pragma once
#include "base/text.h"

void pack_truth(text *out, bool truth);
void pack_int(text *out, int64_t i);
void pack_double(text *out, double d);
void pack_digits(text *out, str digits);
void pack_text(text *out, str s);
size_t pack_text_begin(text *out, size_t size);         // room for so many bytes, which the caller fills: where they begin
void pack_name(text *out, str name);                    // of a member of an object
size_t pack_begin(text *out, char kind);                // 'l', 'o', 'm': where its count stands
void pack_count(text *out, size_t at, uint32_t count);
