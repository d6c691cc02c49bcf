// Reading a SentencePiece model: a walk over the few fields of its protobuf message that matter.
#include "format/sentencepiece.h"

#include "base/util.h"

typedef struct walk {
    const char *file;
    const uint8_t *begin, *at, *end;
    err *e;
} walk;

// One field: a number, or bytes of their own.
typedef struct field {
    uint32_t number, wire;          // wire: 0 a varint, 1 eight bytes, 2 bytes with their size, 5 four bytes
    uint64_t value;
    str bytes;
} field;

static bool damaged(const walk *w, const char *what)
{
    return fail(w->e, ERR_INPUT, "%s: byte %lld: expected a SentencePiece model, but %s; is the file whole?", w->file,
                (long long)(w->at - w->begin), what);
}

static bool varint(walk *w, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (w->at == w->end)
            return damaged(w, "it ends within a number");
        uint8_t b = *w->at++;
        if (shift < 64)
            *out |= (uint64_t)(b & 127) << shift;
        if (b < 128)
            return true;
    }
    return damaged(w, "a number has more than ten bytes");
}

static bool fixed(walk *w, int size, uint64_t *out)
{
    *out = 0;
    if (w->end - w->at < size)
        return damaged(w, "it ends within a number");
    for (int i = 0; i < size; i++)
        *out |= (uint64_t)*w->at++ << 8 * i;
    return true;
}

static bool next_field(walk *w, field *f)
{
    uint64_t key, size;
    TRY(varint(w, &key));
    *f = (field){ .number = (uint32_t)(key >> 3), .wire = key & 7 };
    if (key >> 3 == 0 || key >> 3 > 1u << 29)
        return damaged(w, "a field has no number");
    switch (f->wire) {
    case 0: return varint(w, &f->value);
    case 1: return fixed(w, 8, &f->value);
    case 5: return fixed(w, 4, &f->value);
    case 2:
        TRY(varint(w, &size));
        if (size > (uint64_t)(w->end - w->at))
            return damaged(w, "a part is longer than the file");
        f->bytes = (str){ (const char *)w->at, (size_t)size };
        w->at += size;
        return true;
    default:
        return damaged(w, "a field is of an unknown kind");
    }
}

static walk inside(const walk *w, const field *f)
{
    walk in = *w;
    in.at = (const uint8_t *)f->bytes.at;
    in.end = in.at + f->bytes.size;
    return in;
}

static bool read_piece(walk *w, spm_piece *p)
{
    field f;
    *p = (spm_piece){ .kind = 1 };
    while (w->at < w->end) {
        TRY(next_field(w, &f));
        uint32_t bits = (uint32_t)f.value;
        if (f.number == 1 && f.wire == 2)
            p->text = f.bytes;
        else if (f.number == 2 && f.wire == 5)
            memcpy(&p->score, &bits, sizeof bits);
        else if (f.number == 3 && f.wire == 0)
            p->kind = (int32_t)f.value;
    }
    return true;
}

static bool read_trainer(walk *w, spm_file *m)
{
    field f;
    while (w->at < w->end) {
        TRY(next_field(w, &f));
        if (f.wire != 0)
            continue;
        switch (f.number) {
        case 3:  m->model_type = (int32_t)f.value; break;
        case 24: m->suffix = f.value; break;
        case 35: m->byte_fallback = f.value; break;
        case 40: m->unk = (int32_t)f.value; break;
        case 41: m->bos = (int32_t)f.value; break;
        case 42: m->eos = (int32_t)f.value; break;
        case 43: m->pad = (int32_t)f.value; break;
        }
    }
    return true;
}

static bool read_normalizer(walk *w, spm_file *m)
{
    field f;
    while (w->at < w->end) {
        TRY(next_field(w, &f));
        if (f.number == 2 && f.wire == 2)
            m->charsmap = f.bytes;
        else if (f.number == 3 && f.wire == 0)
            m->add_dummy_prefix = f.value;
        else if (f.number == 4 && f.wire == 0)
            m->remove_extra_whitespaces = f.value;
        else if (f.number == 5 && f.wire == 0)
            m->escape_whitespaces = f.value;
    }
    return true;
}

static bool read_denormalizer(walk *w, spm_file *m)
{
    field f;
    while (w->at < w->end) {
        TRY(next_field(w, &f));
        if (f.number == 2 && f.wire == 2)
            m->denormalizer = f.bytes;
    }
    return true;
}

bool spm_looks_like(str bytes) { return bytes.size > 4 && bytes.at[0] == 0x0a && (bytes.at[2] == 0x0a || bytes.at[3] == 0x0a); }

bool spm_read(spm_file *m, arena *a, str bytes, const char *file, err *e)
{
    const uint8_t *p = (const uint8_t *)(bytes.size ? bytes.at : "");
    walk w = { file, p, p, p + bytes.size, e };
    field f;
    *m = (spm_file){ .model_type = SPM_UNIGRAM, .bos = 1, .eos = 2, .pad = -1, .add_dummy_prefix = true,
                     .remove_extra_whitespaces = true, .escape_whitespaces = true };
    while (w.at < w.end) {
        TRY(next_field(&w, &f));
        if (f.wire != 2)
            continue;
        walk in = inside(&w, &f);
        if (f.number == 1) {
            spm_piece piece;
            TRY(read_piece(&in, &piece));
            ARENA_PUSH(a, m->pieces, m->count, piece);
        } else if (f.number == 2) {
            TRY(read_trainer(&in, m));
        } else if (f.number == 3) {
            TRY(read_normalizer(&in, m));
        } else if (f.number == 5) {
            TRY(read_denormalizer(&in, m));
        }
    }
    return m->count > 0 || fail(e, ERR_INPUT, "%s: expected a SentencePiece model, but it has no pieces", file);
}
