// The step of kind `download`: files of the hub.
#include "run/step_kinds.h"

static bool run_download(const exec_step *s, err *e)
{
    const node *name = node_get(s->resolved, "name");
    return fail(e, ERR_UNSUPPORTED, "downloading '%.*s' from the hub is not built yet; download it and give default_tokenize its folder",
                node_is(name, NODE_TEXT) ? (int)name->text.size : 0, node_is(name, NODE_TEXT) ? name->text.at : "");
}

const step_kind step_download = { .name = "download", .version = 1, .run = run_download, .check = run_download };
