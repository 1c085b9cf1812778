#include "content.h"

#include "copy_text.h"
#include "gz.h"

#include <stdlib.h>

struct passage {
	const struct batch *batch;
	enum manifest_file file;
	struct copy_text text;
	content_sink *sink;
	void *context;
};

static void expect_written(const struct passage *p, bool good)
{
	if (!good)
		die(DIE_PERSON, IO_SHIP_AGAIN,
			"\"%s/%s\" holds a backslash or a NUL that COPY never writes",
			p->batch->dir.path, manifest_file_name(p->file));
}

static void pass(struct passage *p, const void *piece, size_t len)
{
	expect_written(p, copy_text_next(&p->text, piece, len));
	p->sink(p->context, piece, len);
}

static void read_plain(struct passage *p, const char *name, struct io_sum *sum)
{
	enum { PIECE = 64 * 1024 };
	uint64_t announced = p->batch->manifest.file[p->file].size, passed = 0;
	char *piece = mem_alloc(PIECE);
	struct io_reader reader;
	size_t len;

	io_reader_open(&reader, batch_file(p->batch, p->file), name);
	/* One that grows as it is read is refused before it has come to an end. */
	while (passed <= announced && (len = io_reader_next(&reader, piece, PIECE)) > 0) {
		pass(p, piece, len);
		passed += len;
	}
	io_reader_close(&reader, sum);
	free(piece);
}

static void read_gz(struct passage *p, const char *name, struct io_sum *sum)
{
	struct gz_reader *reader = gz_reader_open(
		batch_file(p->batch, p->file), name, p->batch->manifest.data_bytes);
	const void *piece;
	size_t len;

	while ((len = gz_read(reader, &piece)) > 0)
		pass(p, piece, len);
	gz_reader_close(reader, sum);
}

void content_read(
	const struct batch *b, enum manifest_file file, content_sink *sink, void *context)
{
	struct passage p = {.batch = b, .file = file, .sink = sink, .context = context};
	char *name = batch_file_name(b, file);
	struct io_sum sum;

	if (file == FILE_DATA)
		read_gz(&p, name, &sum);
	else
		read_plain(&p, name, &sum);
	expect_written(&p, copy_text_ended(&p.text));
	batch_expect(b, file, &sum);
	free(name);
}
