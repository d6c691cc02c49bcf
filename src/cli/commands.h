// THE TABLE of commands: a name here, and a cmd_<name>.c with its row (command_<name>).
#pragma once
#include "cli/cli.h"

#define COMMANDS(X)                                                            \
    X(run) X(sft) X(explain) X(plan) X(data_check) X(data_cat) X(data_show)    \
    X(tokenize) X(encode) X(decode) X(render) X(eval) X(train) X(chat)         \
    X(bench) X(doctor) X(options) X(datasets)

#define X(id) extern const command command_##id;
COMMANDS(X)
#undef X
