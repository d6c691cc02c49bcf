// skiff run: an experiment. Its flags are read by the experiment itself.
#include "cli/commands.h"

static int run(const args *a, err *e)
{
    const char *experiment;
    int code = 1;
    if (!word_need(a, 0, "EXPERIMENT", &experiment, e))
        return 2;
    char **argv = ARENA_ARRAY(a->arena, char *, a->word_count + 1);
    for (int i = 0; i < a->word_count; i++)
        argv[i] = arena_chars(a->arena, str_of(a->words[i]));
    if (!skiff_run(experiment, a->word_count - 1, argv + 1, &code, e))
        return code ? code : skiff_exit_code(e);
    return code;
}

const command command_run = {
    .name = "run", .usage = "EXPERIMENT [flags] [step.option=value …]", .run = run, .raw = true,
    .help = "Runs an experiment, a .c file or a .yaml: its steps in order, skipping what is done.\n\n"
            "  --prefix DIR                where outputs go (SKIFF_PREFIX, MARIN_PREFIX, ./out)\n"
            "  --dry_run                   show steps, paths and what would run\n"
            "  --force_run '[\"step\"]'      run these steps again, and what depends on them\n"
            "  --force_run_failed          run failed steps again\n"
            "  --run_only '[\"regex\"]'      only these steps and what they need\n"
            "  --skip_checks '[\"memory\"]' leave out checks: paths, settings, template, tokenizer, length, memory\n"
            "  --max_concurrent N          steps side by side, at most\n"
            "  --executor_info_base_path   where the experiment's info file goes\n"
            "  --local                     on this machine whatever the tpu_type\n",
};
