#!/usr/bin/env python3
"""A Hugging Face Hub from a folder, for tests: standard library only.

    server.py ROOT [--page N] [--lfs BYTES] [--ports FILE]

ROOT/models/org/name/REVISION/… and ROOT/datasets/org/name/REVISION/… are repositories; a file ROOT/…/name/.gated or .private says
who may read one: its lines are tokens. Two servers run: the hub on 127.0.0.1, and on localhost, another host, the storage that large
files (of --lfs bytes or more) are redirected to. The ports are written to FILE as "hub storage", or printed.

What it speaks: /api/{models,datasets}/REPO[/revision/REV], …/tree/REV[/FOLDER]?recursive= with pages by Link headers, …/refs,
…/paths-info/REV, /api/whoami-v2, /REPO/resolve/REV/FILE with X-Repo-Commit, ETag, X-Linked-Etag and -Size, relative redirects for
small files and absolute ones for large, X-Error-Code and -Message.

For tests: the file ROOT/faults.json, read again when it changes, is a list of {"match": part of the path, "on": "hub" or "storage", "times": N (absent: always), and one of
"status": 429 ("after": Retry-After), "cut": bytes after which the connection breaks, "wrong": true (a byte differs), "stall": seconds of
silence after "cut" bytes, "slow": bytes a second, "redirect": host:port of another host, "norange": true}.
ROOT/log.jsonl has a line for every request: where it came to, method, path, headers, status.
"""
import hashlib
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

options = {"page": 1000, "lfs": 100_000, "ports": None}
faults, faults_said, lock = [], "", threading.Lock()


def note(request, status):
    entry = {"on": request.on, "method": request.command, "path": request.path, "headers": dict(request.headers), "status": status}
    with lock, open(os.path.join(root, "log.jsonl"), "a") as out:
        out.write(json.dumps(entry) + "\n")


def take_fault(on, path):
    """The first fault that is meant for this request; those with a number of times wear off."""
    global faults, faults_said
    with lock:
        name = os.path.join(root, "faults.json")
        said = open(name).read() if os.path.exists(name) else "[]"
        if said != faults_said:
            faults, faults_said = json.loads(said or "[]"), said
        for f in faults:
            if f.get("match", "") in path and f.get("on", on) == on and f.get("times", 1) > 0:
                if "times" in f:
                    f["times"] -= 1
                return f
    return {}


class Repo:
    def __init__(self, kind, name):
        self.kind, self.name = kind, name
        self.folder = os.path.join(root, kind, *name.split("/"))
        self.exists = "/" in name and ".." not in name and os.path.isdir(self.folder)

    def tokens(self, marker):
        path = os.path.join(self.folder, marker)
        return open(path).read().split() if os.path.exists(path) else None

    def revisions(self):
        """Name of each revision to its commit: a digest of what it holds, as git's would be."""
        found = {}
        for rev in sorted(os.listdir(self.folder)):
            if not rev.startswith("."):
                listing = [(f["path"], f["oid"]) for f in self.files(rev)]
                found[rev.replace("%2F", "/")] = hashlib.sha1(json.dumps([rev, listing]).encode()).hexdigest()
        return found

    def find(self, rev):
        """(revision's folder, commit) of a branch, a tag, a commit or the beginning of one; None."""
        for name, commit in self.revisions().items():
            if rev in (name, commit) or (len(rev) >= 7 and commit.startswith(rev)):
                return name.replace("/", "%2F"), commit
        return None

    def files(self, rev):
        base = os.path.join(self.folder, rev)
        out = []
        for at, folders, names in os.walk(base):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(at, name)
                s = os.stat(path)
                key = (path, s.st_mtime_ns, s.st_size)
                if key in known:
                    out.append(known[key])
                    continue
                data = open(path, "rb").read()
                f = {"type": "file", "path": os.path.relpath(path, base), "size": len(data)}
                if len(data) >= options["lfs"]:
                    sha = hashlib.sha256(data).hexdigest()
                    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize {len(data)}\n".encode()
                    f["lfs"] = {"oid": sha, "size": len(data), "pointerSize": len(pointer)}
                    blobs[sha] = path
                    data = pointer
                f["oid"] = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
                known[key] = f
                out.append(f)
        return sorted(out, key=lambda f: f["path"])


blobs, known = {}, {}                                   # SHA-256 to path; a file as it was last seen to its entry


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    on = "hub"

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.connection.settimeout(60)

    def token(self):
        said = self.headers.get("Authorization", "")
        return said[7:] if said.startswith("Bearer ") else None

    # -- answers
    def answer(self, status, body=b"", headers=None):
        note(self, status)
        self.send_response(status)
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, value, headers=None):
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def refuse(self, status, code, message, headers=None):
        body = json.dumps({"error": message}).encode()
        self.answer(status, body, {"X-Error-Code": code, "X-Error-Message": message, **(headers or {})})

    def send_file(self, path, headers, fault):
        """A file or a range of it, with the fault if there is one."""
        size = os.path.getsize(path)
        begin, end, status = 0, size, 200
        said = self.headers.get("Range")
        if said and said.startswith("bytes=") and "norange" not in fault and size:
            first, last = said[6:].split("-")
            begin, end = int(first), min(int(last) + 1 if last else size, size)
            status, headers = 206, {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{size}"}
        with open(path, "rb") as f:
            f.seek(begin)
            body = bytearray(f.read(end - begin))
        if "wrong" in fault and body:
            body[len(body) // 2] ^= 1
        note(self, status)
        self.send_response(status)
        for k, v in {**headers, "Accept-Ranges": "bytes", "Content-Length": str(len(body))}.items():
            self.send_header(k, v)
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            self.send_body(body, fault)
        except OSError:
            self.close_connection = True

    def send_body(self, body, fault):
        stop = fault.get("cut", len(body))
        piece = max(1, int(fault["slow"] / 20)) if "slow" in fault else 1 << 16
        for i in range(0, min(stop, len(body)), piece):
            self.wfile.write(body[i:min(i + piece, stop)])
            self.wfile.flush()
            if "slow" in fault:
                time.sleep(0.05)
        if stop < len(body):
            time.sleep(fault.get("stall", 0))
            self.close_connection = True
            self.connection.shutdown(2)

    # -- requests
    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = [unquote(p) for p in urlsplit(self.path).path.split("/")[1:]]
        if len(parts) >= 6 and parts[0] == "api" and parts[4] == "paths-info":
            repo = Repo(parts[1], "/".join(parts[2:4]))
            if not self.may_see(repo):
                return
            found = repo.find("/".join(parts[5:]))
            said = parse_qs(body.decode())
            wanted = said.get("paths") or (json.loads(body)["paths"] if body[:1] == b"{" else [])
            self.json([e for e in self.entries(repo.files(found[0]), "", True) if e["path"] in wanted] if found else [])
            return
        self.refuse(404, "", "no such address")

    def do_GET(self):
        fault = take_fault(self.on, self.path)
        if "status" in fault:
            headers = {"Retry-After": str(fault["after"])} if "after" in fault else {}
            self.refuse(fault["status"], "", fault.get("message", "a fault that was asked for"), headers)
        elif "redirect" in fault:
            self.answer(302, b"", {"Location": f"http://{fault['redirect']}{self.path}"})
        elif self.on == "storage":
            sha = urlsplit(self.path).path.rsplit("/", 1)[-1]
            if sha in blobs:
                self.send_file(blobs[sha], {"ETag": f'"{sha[:32]}"'}, fault)
            else:
                self.refuse(404, "", "no such object")
        else:
            self.hub(fault)

    def hub(self, fault):
        at = urlsplit(self.path)
        parts = [unquote(p) for p in at.path.split("/")[1:]]
        if parts == [""]:
            self.answer(200, b"a hub for tests")
        elif parts[:2] == ["api", "whoami-v2"]:
            self.json({"name": "tester", "type": "user"}) if self.token() else self.refuse(401, "", "Invalid username or password.")
        elif parts[:2] == ["api", "resolve-cache"]:
            self.resolve(Repo(parts[2], "/".join(parts[3:5])), parts[5], "/".join(parts[6:]), fault, True)
        elif parts[0] == "api" and parts[1] in ("models", "datasets") and len(parts) >= 4:
            self.api(Repo(parts[1], "/".join(parts[2:4])), parts[4:], parse_qs(at.query))
        else:
            kind = parts.pop(0) if parts[0] == "datasets" else "models"
            if len(parts) >= 5 and parts[2] == "resolve":
                self.resolve(Repo(kind, "/".join(parts[:2])), parts[3], "/".join(parts[4:]), fault, False)
            else:
                self.refuse(404, "", "no such address")

    def may_see(self, repo):
        private = repo.tokens(".private") if repo.exists else None
        if repo.exists and (private is None or self.token() in private):
            return True
        if self.token() == "hf_invalid":
            self.refuse(401, "", "Invalid credentials in Authorization header")
        else:
            self.refuse(401 if not self.token() else 404, "RepoNotFound", "Repository not found")
        return False

    def found(self, repo, rev):
        found = repo.find(rev)
        if not found:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {rev}")
        return found

    def entries(self, files, folder, recursive):
        """Files, and folders as the hub lists them, of one folder or of all below it."""
        prefix = folder + "/" if folder else ""
        out, seen = [], set()
        for f in files:
            if not f["path"].startswith(prefix):
                continue
            inner = f["path"][len(prefix):].split("/")
            for i in range(1, len(inner)):
                name = prefix + "/".join(inner[:i])
                if name not in seen and (recursive or i == 1):
                    seen.add(name)
                    out.append({"type": "directory", "oid": "0" * 40, "size": 0, "path": name})
            if recursive or len(inner) == 1:
                out.append(f)
        return out

    def api(self, repo, rest, query):
        if not self.may_see(repo):
            return
        what, rev = (rest[0], rest[1] if len(rest) > 1 else "main") if rest else ("revision", "main")
        if what == "refs":
            refs = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in repo.revisions().items()]
            self.json({"branches": refs, "tags": [], "converts": []})
            return
        found = self.found(repo, rev)
        if not found:
            return
        files = repo.files(found[0])
        if what == "revision":
            self.json({"_id": "0" * 24, "id": repo.name, "sha": found[1], "private": False, "gated": repo.tokens(".gated") is not None,
                       "disabled": False, "tags": [], "downloads": 0, "likes": 0, "lastModified": "2025-01-01T00:00:00.000Z",
                       "createdAt": "2025-01-01T00:00:00.000Z", "siblings": [{"rfilename": f["path"]} for f in files]})
        elif what == "tree":
            entries = self.entries(files, "/".join(rest[2:]), query.get("recursive", [""])[0].lower() == "true")
            if rest[2:] and not entries:
                self.refuse(404, "EntryNotFound", "no such folder")
                return
            begin = int(query.get("cursor", ["0"])[0])
            page, more = entries[begin:begin + options["page"]], begin + options["page"] < len(entries)
            url = f"http://{self.headers['Host']}{urlsplit(self.path).path}?recursive={query.get('recursive', [''])[0]}" \
                  f"&cursor={begin + options['page']}"
            self.json(page, {"Link": f'<{url}>; rel="next"'} if more else None)
        else:
            self.refuse(404, "", "no such address")

    def resolve(self, repo, rev, path, fault, direct):
        if not self.may_see(repo):
            return
        gated = repo.tokens(".gated")
        if gated is not None and self.token() not in gated:
            if self.token():
                self.refuse(403, "GatedRepo", f"Access to {repo.kind[:-1]} {repo.name} is restricted and you are not in the authorized list.")
            else:
                self.refuse(401, "GatedRepo", f"Access to {repo.kind[:-1]} {repo.name} is restricted. You must be authenticated.")
            return
        found = self.found(repo, rev)
        if not found:
            return
        f = next((f for f in repo.files(found[0]) if f["path"] == path), None)
        headers = {"X-Repo-Commit": found[1]}
        if not f:
            self.refuse(404, "EntryNotFound", "Entry not found", headers)
        elif "lfs" in f:
            sha = f["lfs"]["oid"]
            self.answer(302, b"", {**headers, "Location": f"http://localhost:{ports[1]}/store/{sha}?signature=secret", "X-Linked-Size": f["size"],
                                   "X-Linked-Etag": f'"{sha}"', "ETag": f'"{sha}"'})
        elif not direct:
            where = f"/api/resolve-cache/{repo.kind}/{repo.name}/{found[1]}/{quote(path)}"
            self.answer(307, b"", {**headers, "Location": where, "X-Linked-Size": f["size"], "X-Linked-Etag": f'"{f["oid"]}"'})
        else:
            name = found[0] + "/" + path
            self.send_file(os.path.join(repo.folder, name), {**headers, "ETag": f'"{f["oid"]}"'}, fault)


class Storage(Handler):
    on = "storage"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass                                            # a client that went away


if __name__ == "__main__":
    root, rest = sys.argv[1], sys.argv[2:]
    for name, value in zip(rest[::2], rest[1::2]):
        options[name[2:]] = value if name == "--ports" else int(value)
    servers = [Server(("127.0.0.1", 0), Handler), Server(("127.0.0.1", 0), Storage)]
    ports = [s.server_address[1] for s in servers]
    for s in servers:
        threading.Thread(target=s.serve_forever, daemon=True).start()
    said = f"{ports[0]} {ports[1]}\n"
    if options["ports"]:
        with open(options["ports"] + ".tmp", "w") as out:
            out.write(said)
        os.rename(options["ports"] + ".tmp", options["ports"])
    else:
        print(said, end="", flush=True)
    parent = os.getppid()
    while os.getppid() == parent:                       # ends with the test that began it
        time.sleep(0.2)
