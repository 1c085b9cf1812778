/* The growable buffer and its invariants, and allocation that dies rather than fail. */
#include "buf.h"

#include "die.h"
#include "tap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_empty(void)
{
	struct buf b = {0};

	is_string(buf_text(&b), "", "nothing is the empty string");
	buf_reset(&b);
	buf_free(&b);
	ok(b.data == NULL && b.len == 0 && b.cap == 0,
		"emptied and freed, it is nothing still");

	buf_add(&b, NULL, 0);
	is_string(b.data, "", "nothing was added: a string all the same");
	buf_free(&b);
	buf_string(&b, "");
	is_string(b.data, "", "the empty string was added");
	buf_free(&b);
	buf_room(&b, 100);
	is_string(buf_text(&b), "", "room was made: nothing in it yet");
	buf_free(&b);
	memset(buf_room(&b, 50), 'x', 50);
	b.len = 3; /* as read(2) may fill less than its room */
	buf_room(&b, 10);
	is_string(b.data, "xxx", "made again: the content still ends there");
	buf_free(&b);
}

/* Byte by byte through every size up to some reallocations. */
static void test_grow(void)
{
	struct buf b = {0};
	unsigned wrong = 0;

	for (size_t i = 0; i < 5000; i++) {
		buf_byte(&b, (char)('a' + i % 26));
		wrong += b.len != i + 1 || b.data[b.len] != '\0' || b.cap <= b.len;
	}
	is_number(wrong, 0, "a NUL follows the content, at every length");
	for (size_t i = 0; i < 5000; i++)
		wrong += b.data[i] != (char)('a' + i % 26);
	is_number(wrong, 0, "the content survives the growing");

	size_t cap = b.cap;
	buf_reset(&b);
	ok(b.len == 0 && b.cap == cap, "reset, the memory stays");
	is_string(buf_text(&b), "", "the content is gone");
	buf_free(&b);
	ok(b.data == NULL && b.len == 0 && b.cap == 0, "freed, it is nothing");
}

static void test_separate(void)
{
	struct buf b = {0};

	buf_separate(&b, ", ");
	is_string(buf_text(&b), "", "nothing stands before a list's first part");
	buf_string(&b, "a");
	buf_separate(&b, ", ");
	buf_string(&b, "b");
	is_string(b.data, "a, b", "the separator before the next");
	buf_free(&b);
}

static void test_add(void)
{
	struct buf b = {0};

	buf_add(&b, "a\0b", 3);
	buf_string(&b, "cd");
	buf_format(&b, "%d%s", 42, "!");
	is_number(b.len, 8, "bytes, a string and a format were appended");
	ok(memcmp(b.data, "a\0bcd42!", 9) == 0, "in that order");

	char *room = buf_room(&b, 1000);
	ok(room == b.data + 8, "the room begins behind the content");
	memset(room, 'x', 1000);
	b.len += 1000;
	ok(b.cap > b.len, "there is room for a NUL, too");
	ok(memcmp(b.data, "a\0bcd42!xxx", 11) == 0, "what stood before it stays");
	buf_byte(&b, '!');
	is_number(b.len, 1009, "and more is appended behind it");
	is_string(b.data + 1008, "!", "with a NUL");
	buf_free(&b);
}

/* Formatted texts around the sizes at which the buffer grows. */
static void test_format(void)
{
	unsigned wrong = 0;

	for (int width = 0; width < 300; width++) {
		struct buf b = {0};
		char *text = mem_format("%*s", width, "");

		buf_format(&b, "<%*s>", width, "");
		wrong += strlen(text) != (size_t)width || b.len != (size_t)width + 2 ||
			 b.data[b.len - 1] != '>' || b.data[b.len] != '\0';
		free(text);
		buf_free(&b);
	}
	is_number(wrong, 0, "a formatted text of any length is whole");
}

static void copy_too_long(const void *context)
{
	char out[4];

	(void)context;
	buf_copy(out, sizeof out, "four");
}

static void test_copy(void)
{
	char out[5] = "....";

	buf_copy(out, 4, "abc");
	is_string(out, "abc", "a string that fits, with its NUL");
	buf_copy(out, 1, "");
	is_string(out, "", "the empty one fits into one byte");
	ends(copy_too_long, NULL, DIE_AGAIN, "\"four\" is longer than expected",
		"one byte too many dies");
}

static void resize_too_much(const void *context)
{
	(void)context;
	free(mem_resize(NULL, SIZE_MAX / 4 + 2, 4));
}

static void zero_too_much(const void *context)
{
	(void)context;
	free(mem_zero(SIZE_MAX / 4 + 2, 4));
}

static void room_too_much(const void *context)
{
	struct buf b = {0};

	(void)context;
	buf_byte(&b, 'x');
	buf_room(&b, SIZE_MAX - 1);
}

static void test_memory(void)
{
	char *text = mem_string("text");
	unsigned char *zero = mem_zero(3, 5);
	unsigned set = 0;

	is_string(text, "text", "a string of its own");
	text = mem_resize(text, 100, 1);
	is_string(text, "text", "grown");
	mem_replace(&text, "other");
	is_string(text, "other", "replaced");
	free(text);
	text = NULL;
	mem_replace(&text, "new");
	is_string(text, "new", "though nothing was there before");
	free(text);
	for (int i = 0; i < 15; i++)
		set += zero[i];
	is_number(set, 0, "zeroed memory is zero");
	free(zero);
	void *nothing[] = {
		mem_alloc(0), mem_zero(0, 8), mem_zero(8, 0), mem_resize(NULL, 0, 8)};
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		ok(nothing[i] != NULL, "no bytes are memory, too: %zu", i);
		free(nothing[i]);
	}
	ends(resize_too_much, NULL, DIE_AGAIN, "out of memory", "a size that overflows dies");
	ends(zero_too_much, NULL, DIE_AGAIN, "out of memory", "zeroed or not");
	ends(room_too_much, NULL, DIE_AGAIN, "out of memory", "in a buffer, too");
}

int main(void)
{
	mallopt(M_PERTURB, 0x5a); /* new memory isn't zero by chance */
	test_empty();
	test_grow();
	test_separate();
	test_add();
	test_format();
	test_copy();
	test_memory();
	return done_testing();
}
