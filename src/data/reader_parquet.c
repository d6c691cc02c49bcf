// Parquet: rows come packed from their columns, and are unpacked by whoever parses them.
#include "base/log.h"
#include "data/reader_format.h"
#include "format/parquet.h"

// The end of the file comes first, so the stream is not used beyond its first bytes.
bool parquet_rows_open(reader *r, err *e)
{
    const bool packed = stream_is_packed(&r->s);
    stream_close(&r->s);
    if (packed)
        return fail(e, ERR_INPUT, "%s: this is a Parquet file compressed once more, which is not read; unpack it, Parquet compresses "
                    "within", r->path);
    if (!(r->parquet = parquet_open(r->path, e)))
        return false;
    const char *binary = parquet_binary(r->parquet);
    if (binary)                     // of some old writers, texts are such columns too
        log_warning("%s: column %s is binary, not text: its values are read as base64", r->path, binary);
    return true;
}

bool parquet_rows_next(reader *r, raw_row *out, err *e)
{
    TRY(parquet_next(r->parquet, &out->bytes, e));
    r->row += out->bytes.at != NULL;
    return true;
}

bool parquet_rows_parse(const raw_row *raw, arena *a, const node **row, err *e) { return parquet_unpack(raw->bytes, a, raw->at, row, e); }
