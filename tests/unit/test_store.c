// The store against a hub on this machine: what is fetched, what goes wrong on the way, and what errors say.
#include <sys/resource.h>
#include <sys/stat.h>

#include "hub.h"
#include "store/hf.h"
#include "store/part.h"
#include "store/store.h"

static err e;

static bool fetch(arena *a, const char *name, store_need need, store_found *out)
{
    e = (err){0};
    return store_fetch(a, name, need, out, &e);
}

static void fetches(const char *name, store_need need)
{
    arena a = {0};
    store_found f;
    bool ok = fetch(&a, name, need, &f);
    CHECK(ok);
    if (!ok)
        fprintf(stderr, "    %s: %s\n", name, e.text);
    arena_close(&a);
}

static void refuses(const char *name, store_need need, err_code code, const char *want)
{
    arena a = {0};
    store_found f;
    CHECK(!fetch(&a, name, need, &f) && e.code == code);
    CHECK_TEXT(e.text, want);
    arena_close(&a);
}

static const char *home(void) { return getenv("HF_HOME"); }

// Does this file of acme/tiny's snapshot hold what the hub has?
static bool is_whole(const char *name)
{
    arena a = {0};
    char **paths;
    int64_t count;
    str got, want;
    err why = {0};
    bool ok = file_glob(&a, arena_print(&a, "%s/hub/models--acme--tiny/snapshots/*/%s", home(), name), &paths, &count, &why) && count == 1
           && file_read(&a, paths[0], &got, &why) && file_read(&a, path_join(&a, hub_path("models/acme/tiny/main"), name), &want, &why)
           && str_equal(got, want);
    arena_close(&a);
    return ok;
}

static int left_behind(void)
{
    arena a = {0};
    char **paths;
    int64_t count = 0;
    err why;
    CHECK(file_glob(&a, arena_print(&a, "%s/hub/**/*{incomplete,tmp-*}", home()), &paths, &count, &why));
    arena_close(&a);
    return (int)count;
}

// ---- what is fetched ----------------------------------------------------------------------------------------------------

TEST(a_model_is_fetched_with_the_files_it_needs)
{
    arena a = {0};
    store_found f;
    char link[256] = "";
    hub_begin();
    CHECK(fetch(&a, "acme/tiny", STORE_MODEL, &f));
    CHECK(f.path && strstr(f.path, "/hub/models--acme--tiny/snapshots/") && !strcmp(f.repo, "acme/tiny") && !strcmp(f.revision, "main"));
    CHECK(hf_is_commit(str_of(f.commit)));
    CHECK(is_whole("config.json") && is_whole("tokenizer.json") && is_whole("README.md") && is_whole("model.safetensors"));
    CHECK(!file_exists(path_join(&a, f.path, "pytorch_model.bin")) && !file_exists(path_join(&a, f.path, "onnx")));
    CHECK(readlink(path_join(&a, f.path, "model.safetensors"), link, sizeof link - 1) > 0 && !strncmp(link, "../../blobs/", 12));
    CHECK(left_behind() == 0);
    // A second time the hub is only asked what main is.
    unlink(hub_path("log.jsonl"));
    fetches("hf://acme/tiny", STORE_MODEL);
    CHECK(hub_count("", "") == 1 && hub_count("/revision/main", "") == 1);
    // And by its commit it is not asked at all.
    unlink(hub_path("log.jsonl"));
    fetches(arena_print(&a, "acme/tiny@%s", f.commit), STORE_MODEL);
    CHECK(hub_count("", "") == 0);
    arena_close(&a);
}

TEST(a_tokenizer_takes_no_weights)
{
    hub_begin();
    fetches("acme/tiny", STORE_TOKENIZER);
    CHECK(hub_count("safetensors", "GET") == 0 && hub_count("tokenizer.json", "GET") > 0);
}

TEST(a_revision_is_taken_at_its_word)
{
    arena a = {0};
    store_found f;
    str s = {0};
    hub_begin();
    CHECK(fetch(&a, "acme/tiny@v1.0", STORE_TOKENIZER, &f) && file_read(&a, path_join(&a, f.path, "config.json"), &s, &e));
    CHECK(str_find(s, STR("\"v\": 1"), 0) < s.size);
    arena_close(&a);
}

TEST(data_is_the_training_split_or_what_was_named)
{
    arena a = {0};
    store_found f;
    hub_begin();
    CHECK(fetch(&a, "acme/chats", STORE_DATA, &f) && f.count == 2);
    CHECK(f.count == 2 && strstr(f.files[0], "/data/train-00000.jsonl") && strstr(f.files[1], "/data/train-00001.jsonl"));
    CHECK(fetch(&a, "hf://datasets/acme/chats/data/test-00000.jsonl", STORE_DATA, &f) && f.count == 1 && file_exists(f.files[0]));
    CHECK(fetch(&a, "hf://datasets/acme/chats@main/**/*.jsonl", STORE_DATA, &f) && f.count == 3);
    CHECK(fetch(&a, "hf://datasets/acme/chats/data/t*-00000.jsonl", STORE_DATA, &f) && f.count == 2);
    CHECK(fetch(&a, "hf://datasets/acme/chats/*.txt", STORE_DATA, &f) && f.count == 1);
    CHECK(fetch(&a, "hf://datasets/acme/chats/data/{train,test}-00000.{json,jsonl}", STORE_DATA, &f) && f.count == 2);
    CHECK(fetch(&a, "hf://datasets/acme/sets/data/small", STORE_DATA, &f) && f.count == 2);
    refuses("acme/sets", STORE_DATA, ERR_INPUT, "'acme/sets' has 2 sets of training rows: 'data/all/train*', 'data/small/train*'; name one: "
            "hf://datasets/acme/sets/PATH");
    arena_close(&a);
}

TEST(one_file_of_a_model)
{
    arena a = {0};
    store_found f;
    str s;
    hub_begin();
    CHECK(fetch(&a, "hf://acme/quants/tiny.Q8_0.gguf", STORE_MODEL, &f) && file_read(&a, f.path, &s, &e) && str_is(s, "eight"));
    refuses("acme/quants", STORE_MODEL, ERR_INPUT,
            "'acme/quants' holds 2 GGUF files: 'tiny.Q4_0.gguf', 'tiny.Q8_0.gguf'; name one: hf://acme/quants/FILE");
    arena_close(&a);
}

TEST(a_check_fetches_nothing)
{
    hub_begin();
    CHECK(store_check("acme/tiny", STORE_MODEL, &e));
    CHECK(hub_count("\"storage\"", "") == 0 && !file_exists(home()));
    CHECK(!store_check("acme/locked", STORE_MODEL, &e) && strstr(e.text, "is gated"));
}

// ---- the token ----------------------------------------------------------------------------------------------------------

TEST(the_token_goes_to_the_hub_and_nowhere_else)
{
    arena a = {0};
    hub_begin();
    setenv("HF_TOKEN", GOOD_TOKEN "\n", 1);
    fetches("acme/tiny", STORE_MODEL);
    CHECK(hub_count("\"storage\"", "/store/") == 3 && hub_count("\"storage\"", "Authorization") == 0 && hub_count("\"storage\"", GOOD_TOKEN) == 0);
    CHECK(hub_count("\"hub\"", "Bearer " GOOD_TOKEN) == hub_count("\"hub\"", ""));
    // Not either when the hub itself sends us elsewhere.
    hub_begin();
    setenv("HF_TOKEN", GOOD_TOKEN, 1);
    hub_faults(arena_print(&a, "[{\"match\": \"/revision/\", \"on\": \"hub\", \"redirect\": \"localhost:%d\"}]", hub.storage_port));
    CHECK(!store_check("acme/tiny", STORE_MODEL, &e));
    CHECK(hub_count("\"storage\"", "/revision/") == 1 && hub_count("\"storage\"", "Authorization") == 0);
    CHECK(!strstr(e.text, GOOD_TOKEN));
    arena_close(&a);
}

TEST(the_token_file_is_read)
{
    arena a = {0};
    hub_begin();
    CHECK(folder_make(home(), &e) && file_write(path_join(&a, home(), "token"), STR(GOOD_TOKEN "\n"), &e));
    fetches("acme/locked", STORE_MODEL);
    hub_begin();
    setenv("HF_TOKEN", "hf_a\r\nEvil: header", 1);
    refuses("acme/tiny", STORE_MODEL, ERR_INPUT, "HF_TOKEN: the token holds a blank, a line break or a strange character");
    arena_close(&a);
}

TEST(refusals_say_what_to_do)
{
    arena a = {0};
    hub_begin();
    const char *at = hub.endpoint;
    refuses("acme/locked", STORE_MODEL, ERR_INPUT,
            arena_print(&a, "the model 'acme/locked' is gated: accept its terms at %s/acme/locked, and set HF_TOKEN to a token of that account", at));
    refuses("acme/hidden", STORE_MODEL, ERR_INPUT,
            arena_print(&a, "there is no model 'acme/hidden' on %s, or it is private; look at its spelling, or set HF_TOKEN if it is private", at));
    refuses("acme/nothing", STORE_DATA, ERR_INPUT,
            arena_print(&a, "there is no dataset 'acme/nothing' on %s, or it is private; look at its spelling, or set HF_TOKEN if it is private", at));
    refuses("acme/tiny@v1.1", STORE_MODEL, ERR_INPUT, "the model 'acme/tiny' has no revision 'v1.1'; it has 'v1.0'");
    refuses("hf://acme/quants/tiny.Q4_1.gguf", STORE_MODEL, ERR_INPUT,
            "'acme/quants' (main) has no file 'tiny.Q4_1.gguf'; it has 'tiny.Q4_0.gguf' or 'tiny.Q8_0.gguf'");
    refuses("hf://datasets/acme/chats", STORE_MODEL, ERR_INPUT, "'hf://datasets/acme/chats' is a dataset; expected a model");
    refuses("acme/tiny@v1.0", STORE_MODEL, ERR_INPUT,
            "'acme/tiny' (v1.0) holds no weights in .safetensors; it has 'config.json', 'tokenizer.json'");
    refuses("gs://bucket/x", STORE_DATA, ERR_UNSUPPORTED, "'gs://bucket/x': reading from gs:// is not built yet; give a local path or hf://");
    setenv("HF_TOKEN", "hf_stranger", 1);
    refuses("acme/locked", STORE_MODEL, ERR_INPUT,
            arena_print(&a, "the model 'acme/locked' is gated: accept its terms at %s/acme/locked, with the account whose token stands in the environment",
                        at));
    setenv("HF_TOKEN", "hf_invalid", 1);
    refuses("acme/hidden", STORE_MODEL, ERR_INPUT,
            arena_print(&a, "%s refuses the token of HF_TOKEN for 'acme/hidden': it may have run out; make another at %s/settings/tokens", at, at));
    setenv("HF_TOKEN", GOOD_TOKEN, 1);
    fetches("acme/locked", STORE_MODEL);
    fetches("acme/hidden", STORE_MODEL);
    arena_close(&a);
}

// ---- faults -------------------------------------------------------------------------------------------------------------

// Whatever the fault, the file is whole in the end and nothing half-done is left.
static void mends(const char *faults)
{
    hub_begin();
    hub_faults(faults);
    fetches("acme/tiny", STORE_MODEL);
    CHECK(is_whole("model.safetensors") && is_whole("config.json") && left_behind() == 0);
}

TEST(broken_connections_are_gone_on_from)
{
    mends("[{\"match\": \"/store/\", \"cut\": 3000000, \"times\": 4}]");
    CHECK(hub_count("\"storage\"", "bytes=3000000-8388607") == 1);     // not from the beginning again
}

TEST(a_hub_that_is_busy_or_out_of_order_is_asked_again)
{
    mends("[{\"match\": \"/revision/\", \"status\": 500, \"times\": 2}, {\"match\": \"/tree/\", \"status\": 429, \"after\": 1, \"times\": 1},"
          " {\"match\": \"/resolve/\", \"status\": 503, \"times\": 2}, {\"match\": \"/store/\", \"status\": 502, \"times\": 2}]");
}

TEST(a_hub_that_stays_out_of_order_is_an_error)
{
    arena a = {0};
    hub_begin();
    hub_faults("[{\"match\": \"/revision/\", \"status\": 429, \"after\": 0}]");
    refuses("acme/tiny", STORE_MODEL, ERR_IO, arena_print(&a, "acme/tiny: %s answers 429: a fault that was asked for; too many requests: wait a "
            "while, then run it again", hub.endpoint));
    arena_close(&a);
}

TEST(a_signed_address_that_has_run_out_is_asked_for_again)
{
    mends("[{\"match\": \"/store/\", \"on\": \"storage\", \"status\": 403, \"times\": 1}]");
}

TEST(a_server_without_ranges) { mends("[{\"match\": \"/store/\", \"norange\": true}]"); }

TEST(silence_is_not_waited_for)
{
    setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1", 1);
    mends("[{\"match\": \"/store/\", \"cut\": 1000000, \"stall\": 20, \"times\": 1}]");
    unsetenv("HF_HUB_DOWNLOAD_TIMEOUT");
}

TEST(a_wrong_digest_is_noticed)
{
    mends("[{\"match\": \"/store/\", \"wrong\": true, \"times\": 1}]");
    mends("[{\"match\": \"config.json\", \"wrong\": true, \"on\": \"hub\", \"times\": 2}]");
    hub_begin();
    hub_faults("[{\"match\": \"/store/\", \"wrong\": true}]");
    refuses("acme/tiny", STORE_MODEL, ERR_IO, "acme/tiny/model.safetensors: what comes has another digest than the hub says, twice now; a proxy or "
            "mirror may change it");
    CHECK(!is_whole("model.safetensors"));
}

// ---- without the hub ----------------------------------------------------------------------------------------------------

TEST(offline_only_the_cache_counts)
{
    arena a = {0};
    hub_begin();
    fetches("acme/tiny", STORE_TOKENIZER);
    setenv("HF_HUB_OFFLINE", "1", 1);
    unlink(hub_path("log.jsonl"));
    fetches("acme/tiny", STORE_TOKENIZER);
    refuses("acme/tiny", STORE_MODEL, ERR_INPUT,
            arena_print(&a, "HF_HUB_OFFLINE is set, and the cache '%s/hub' does not hold all that is needed of the model 'acme/tiny' (main)", home()));
    CHECK(!store_check("acme/other", STORE_MODEL, &e) && hub_count("", "") == 0);
    arena_close(&a);
}

TEST(without_a_connection_the_cache_is_used)
{
    arena a = {0};
    hub_begin();
    fetches("acme/tiny", STORE_TOKENIZER);
    setenv("HF_ENDPOINT", "http://127.0.0.1:9", 1);
    fetches("acme/tiny", STORE_TOKENIZER);
    store_found f;
    CHECK(!fetch(&a, "acme/chats", STORE_DATA, &f) && e.code == ERR_IO && strstr(e.text, "cannot reach http://127.0.0.1:9: "));
    arena_close(&a);
}

// ---- disks --------------------------------------------------------------------------------------------------------------

TEST(a_cache_that_cannot_be_written)
{
    hub_begin();
    setenv("HF_HOME", "/proc/none", 1);
    refuses("acme/tiny", STORE_TOKENIZER, ERR_INPUT, "the hub's cache '/proc/none/hub' (HF_HOME or HF_HUB_CACHE names another): cannot make the "
            "folder '/proc/none/hub/models--acme--tiny/refs': No such file or directory");
}

// A limit on the file's size stands in for a full disk.
TEST(a_full_disk)
{
    struct rlimit was, small;
    hub_begin();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 4 << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    arena a = {0};
    store_found f;
    bool ok = fetch(&a, "acme/tiny", STORE_MODEL, &f);
    setrlimit(RLIMIT_FSIZE, &was);
    CHECK(!ok && e.code == ERR_IO && strstr(e.text, "the hub's cache '") && strstr(e.text, ": File too large"));
    fetches("acme/tiny", STORE_MODEL);
    CHECK(is_whole("model.safetensors") && left_behind() == 0);
    arena_close(&a);
}

// ---- kills and neighbours -----------------------------------------------------------------------------------------------

static pid_t fetch_beside(void)
{
    pid_t child = fork();
    if (child == 0) {
        arena a = {0};
        store_found f;
        _exit(fetch(&a, "acme/tiny", STORE_MODEL, &f) ? 0 : 1);
    }
    return child;
}

// Parts of the weights that are whole, as the file that is being loaded says behind their bytes.
static int parts_done(void)
{
    arena a = {0};
    char **paths;
    int64_t count = 0;
    str s = {0};
    err why;
    int done = 0;
    if (file_glob(&a, arena_print(&a, "%s/hub/**/*incomplete", home()), &paths, &count, &why) && count == 1 && file_read(&a, paths[0], &s, &why))
        for (size_t i = LARGE; i < LARGE + 3 && i < s.size; i++)
            done += s.at[i] == PART_DONE;
    arena_close(&a);
    return done;
}

TEST(a_killed_download_is_gone_on_from)
{
    hub_begin();
    // Two of the three parts take half a minute, the third is there at once: then the kill.
    hub_faults("[{\"match\": \"/store/\", \"slow\": 200000, \"on\": \"storage\", \"times\": 2}]");
    pid_t child = fetch_beside();
    for (int i = 0; i < NAPS && !parts_done(); i++)
        usleep(NAP_MICROSECONDS);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(left_behind() == 1 && !is_whole("model.safetensors"));
    unlink(hub_path("log.jsonl"));
    hub_faults("[]");
    fetches("acme/tiny", STORE_MODEL);
    int asked = hub_count("\"storage\"", "/store/");
    CHECK(asked == 2);
    CHECK(is_whole("model.safetensors") && left_behind() == 0);
}

TEST(two_processes_load_a_file_once)
{
    int one, two;
    hub_begin();
    hub_faults("[{\"match\": \"/store/\", \"slow\": 30000000, \"on\": \"storage\"}]");
    pid_t a = fetch_beside(), b = fetch_beside();
    CHECK(wait_for_end(a, &one) && wait_for_end(b, &two));
    CHECK(WIFEXITED(one) && WEXITSTATUS(one) == 0 && WIFEXITED(two) && WEXITSTATUS(two) == 0);
    CHECK(is_whole("model.safetensors") && left_behind() == 0);
    CHECK(hub_count("\"storage\"", "/store/") == 3);
}

TEST(a_signal_stops_it_and_the_next_goes_on)
{
    hub_begin();
    hub_faults("[{\"match\": \"/store/\", \"slow\": 1000000, \"on\": \"storage\"}]");
    struct sigaction stop = { .sa_handler = (void (*)(int))(void (*)(void))store_stop }, was;
    sigaction(SIGALRM, &stop, &was);
    alarm(1);
    refuses("acme/tiny", STORE_MODEL, ERR_INTERRUPTED, "interrupted; run it again to go on with the download");
    sigaction(SIGALRM, &was, NULL);
    hub_faults("[]");
    fetches("acme/tiny", STORE_MODEL);
    CHECK(is_whole("model.safetensors"));
}

// ---- the web ------------------------------------------------------------------------------------------------------------

TEST(a_file_of_the_web)
{
    arena a = {0};
    store_found f;
    str s;
    hub_begin();
    setenv("XDG_CACHE_HOME", home(), 1);
    char *url = arena_print(&a, "%s/datasets/acme/chats/resolve/main/data/train-00000.jsonl?download=true", hub.endpoint);
    CHECK(fetch(&a, url, STORE_DATA, &f) && f.count == 1 && str_ends(str_of(f.path), STR("/train-00000.jsonl")));
    CHECK(file_read(&a, f.path, &s, &e) && str_is(s, "{\"a\": 1}\n"));
    unlink(hub_path("log.jsonl"));
    CHECK(fetch(&a, url, STORE_DATA, &f) && hub_count("GET", "") == 0);
    hub_file("datasets/acme/chats/main/data/train-00000.jsonl", STR("{\"a\": 10}\n"));
    CHECK(fetch(&a, url, STORE_DATA, &f) && file_read(&a, f.path, &s, &e) && str_is(s, "{\"a\": 10}\n"));
    hub_file("datasets/acme/chats/main/data/train-00000.jsonl", STR("{\"a\": 1}\n"));
    CHECK(!fetch(&a, arena_print(&a, "%s/datasets/acme/chats/resolve/main/none.jsonl", hub.endpoint), STORE_DATA, &f) && e.code == ERR_INPUT);
    unsetenv("XDG_CACHE_HOME");
    arena_close(&a);
}
