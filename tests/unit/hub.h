// A hub on this machine (tests/hub/server.py) with a few repositories, for tests of what comes from the hub.
#pragma once
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "base/file.h"
#include "base/log.h"

enum { LARGE = 20 << 20 };                      // bytes of the model's weights: three parts of a download
#define GOOD_TOKEN "hf_goodtokengoodtoken"

typedef struct test_hub { char root[64], endpoint[64]; int hub_port, storage_port; pid_t pid; arena a; int homes; } test_hub;
static test_hub hub;

static inline void hub_must(bool ok, const err *e)
{
    if (!ok) {
        fprintf(stderr, "%s\n", e->text);
        exit(1);
    }
}

static inline char *hub_path(const char *name) { return path_join(&hub.a, hub.root, name); }

static inline void hub_file(const char *name, str bytes)
{
    err e = {0};
    char *path = hub_path(name);
    hub_must(folder_make(path_folder(&hub.a, path), &e) && file_write(path, bytes, &e), &e);
}

static inline str large_bytes(size_t size)
{
    char *b = malloc(size);
    uint32_t x = 7;
    for (size_t i = 0; i < size; i++)
        b[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
    return (str){ b, size };
}

static inline void hub_fill(void)
{
    str large = large_bytes(LARGE);
    hub_file("models/acme/tiny/main/config.json", STR("{\"model_type\": \"llama\"}\n"));
    hub_file("models/acme/tiny/main/tokenizer.json", STR("{}\n"));
    hub_file("models/acme/tiny/main/README.md", STR("# tiny\n"));
    hub_file("models/acme/tiny/main/pytorch_model.bin", STR("old weights"));
    hub_file("models/acme/tiny/main/onnx/model.onnx", STR("other weights"));
    hub_file("models/acme/tiny/main/model.safetensors", large);
    hub_file("models/acme/tiny/v1.0/config.json", STR("{\"model_type\": \"llama\", \"v\": 1}\n"));
    hub_file("models/acme/tiny/v1.0/tokenizer.json", STR("{}\n"));
    hub_file("models/acme/locked/main/config.json", STR("{\"locked\": 1}\n"));
    hub_file("models/acme/locked/main/model.safetensors", STR("x"));
    hub_file("models/acme/locked/.gated", STR(GOOD_TOKEN));
    hub_file("models/acme/hidden/main/config.json", STR("{\"hidden\": 1}\n"));
    hub_file("models/acme/hidden/main/model.safetensors", STR("y"));
    hub_file("models/acme/hidden/.private", STR(GOOD_TOKEN));
    hub_file("models/acme/quants/main/tiny.Q4_0.gguf", STR("four"));
    hub_file("models/acme/quants/main/tiny.Q8_0.gguf", STR("eight"));
    hub_file("datasets/acme/sets/main/data/all/train-00000.jsonl", STR("{}\n"));
    hub_file("datasets/acme/sets/main/data/all/train-00001.jsonl", STR("{}\n"));
    hub_file("datasets/acme/sets/main/data/small/train.jsonl", STR("{}\n"));
    hub_file("datasets/acme/sets/main/data/small/empty.jsonl", STR(""));
    hub_file("datasets/acme/chats/main/README.md", STR("# chats\n"));
    hub_file("datasets/acme/chats/main/data/train-00000.jsonl", STR("{\"a\": 1}\n"));
    hub_file("datasets/acme/chats/main/data/train-00001.jsonl", STR("{\"a\": 2}\n"));
    hub_file("datasets/acme/chats/main/data/test-00000.jsonl", STR("{\"a\": 3}\n"));
    hub_file("datasets/acme/chats/main/a name (1) + é.txt", STR("odd name\n"));
    free((char *)(uintptr_t)large.at);
}

static inline void hub_end(void)
{
    err ignored;
    if (hub.pid > 0)
        kill(hub.pid, SIGKILL);
    if (hub.root[0])
        (void)!folder_remove(hub.root, &ignored);
}

// The server, once; a cache of its own for the test that calls, and an environment without anything else of a hub.
static inline void hub_begin(void)
{
    static const char *const unset[] = { "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE",
                                         "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY" };
    arena a = {0};
    err e = {0};
    str ports;
    if (!hub.pid) {
        snprintf(hub.root, sizeof hub.root, "/tmp/skiff-hub-XXXXXX");
        hub_must(mkdtemp(hub.root) != NULL, &(err){ .text = "no temporary folder" });
        hub_fill();
        hub.pid = fork();
        if (hub.pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            execlp("python3", "python3", "tests/hub/server.py", hub.root, "--page", "2", "--lfs", "1000000", "--ports", hub_path("ports"), NULL);
            _exit(127);
        }
        atexit(hub_end);
        (void)!wait_for_file(hub_path("ports"));
        hub_must(file_read(&a, hub_path("ports"), &ports, &e), &e);
        hub_must(sscanf(arena_chars(&a, ports), "%d %d", &hub.hub_port, &hub.storage_port) == 2, &(err){ .text = "no ports" });
        snprintf(hub.endpoint, sizeof hub.endpoint, "http://127.0.0.1:%d", hub.hub_port);
        log_set_level(LOG_ERROR);
        setenv("SKIFF_PROGRESS", "0", 1);
    }
    for (size_t i = 0; i < COUNT(unset); i++)
        unsetenv(unset[i]);
    setenv("HF_ENDPOINT", hub.endpoint, 1);
    setenv("HF_HOME", hub_path(arena_print(&a, "home%d", hub.homes++)), 1);
    unlink(hub_path("log.jsonl"));
    unlink(hub_path("faults.json"));
    arena_close(&a);
}

// What goes wrong from now on; a blank more each time, so that the same faults again are new ones.
static inline void hub_faults(const char *json)
{
    static int times;
    arena a = {0};
    hub_file("faults.json", str_of(arena_print(&a, "%s%*s", json, ++times, "")));
    arena_close(&a);
}

// Requests so far whose line in the log holds both texts.
static inline int hub_count(const char *one, const char *other)
{
    arena a = {0};
    err ignored;
    str s;
    int n = 0;
    if (file_exists(hub_path("log.jsonl")) && file_read(&a, hub_path("log.jsonl"), &s, &ignored))
        for (char *line = arena_chars(&a, s), *end; line && *line; line = end ? end + 1 : NULL) {
            if ((end = strchr(line, '\n')))
                *end = 0;
            n += strstr(line, one) && strstr(line, other);
        }
    arena_close(&a);
    return n;
}

static inline bool hub_wait_for(int count, const char *one, const char *other)
{
    for (int i = 0; i < NAPS && hub_count(one, other) < count; i++)
        usleep(NAP_MICROSECONDS);
    return hub_count(one, other) >= count;
}
