// Values as Python's str() prints them: what ids of rows are digests of.
#pragma once
#include "base/node.h"
#include "base/text.h"

// Lists and objects as lists and dicts; texts, numbers, True, False, None. As Python 3.11 does it, which knows Unicode 14:
// characters that came later are escaped.
void python_repr(text *out, const node *n);
