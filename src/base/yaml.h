// YAML 1.1 as configuration files use it, read through libyaml into the same nodes as JSON: plain
// scalars become null, bool (true/false only), int, float or text; quoted ones are text. Anchors and
// aliases work; tags, several documents and duplicate keys are refused with their place.
#pragma once
#include "base/node.h"

bool yaml_parse(arena *a, str bytes, const char *file, const node **out, err *e) MUST_CHECK;
bool yaml_read_file(arena *a, const char *path, const node **out, err *e) MUST_CHECK;
