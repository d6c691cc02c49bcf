// What a call costs: floating point operations, and bytes of its arguments read and written.
#pragma once
#include "engine/program.h"

double cost_flops(const call *c);
double cost_bytes(const program *p, const call *c);
