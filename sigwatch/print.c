// SPDX-License-Identifier: GPL-2.0
/* A hit and the summary, as text and as JSON: the same facts in both. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/hw_breakpoint.h>
#include <string.h>
#include <time.h>
#include "sigwatch.h"

static const char *access_name(const struct watch *watch, const struct hit *hit)
{
	if (watch->type == HW_BREAKPOINT_X)
		return "execute";
	if (watch->type == HW_BREAKPOINT_W)
		return "write";
	return hit->has_old && hit->has_new && hit->old == hit->new ? "read?" : "write";
}

/* The bytes of a UTF-8 character, or 0 where there is none. */
static int utf8(const unsigned char *s)
{
	int n = 0, i;

	if (*s < 0x80)
		n = 1;
	else if (*s >= 0xc2 && *s < 0xe0)
		n = 2;
	else if (*s >= 0xe0 && *s < 0xf0)
		n = 3;
	else if (*s >= 0xf0 && *s < 0xf5)
		n = 4;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, surrogate, or beyond the last. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

/* What is not text comes as ? in words, and as the character of that number in JSON. */
void print_name(FILE *f, const char *name, bool json)
{
	const unsigned char *s = (const unsigned char *)name;
	int n;

	for (; *s; s += n ?: 1) {
		n = utf8(s);
		if (!n || *s < ' ' || *s == 0x7f)
			fprintf(f, json ? "\\u%04x" : "?", *s);
		else if (json && (*s == '"' || *s == '\\'))
			fprintf(f, "\\%c", *s);
		else
			fwrite(s, 1, n, f);
	}
}

static void json_string(FILE *f, const char *key, const char *value)
{
	fprintf(f, "\"%s\":", key);
	if (!value) {
		fputs("null", f);
		return;
	}
	putc('"', f);
	print_name(f, value, true);
	putc('"', f);
}

static void print_value(FILE *f, bool known, int64_t value, const char *unknown)
{
	if (known)
		fprintf(f, "%" PRId64, value);
	else
		fputs(unknown, f);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The names are the files', which may have anything in them. */
static void text_frame(FILE *f, const struct frame *frame)
{
	fputs("    ", f);
	if (frame->module) {
		print_name(f, frame->function ?: base_name(frame->module), false);
		fprintf(f, "+0x%" PRIx64, frame->offset);
	} else {
		fprintf(f, "0x%" PRIx64, frame->pc);
	}
	if (frame->file) {
		fputs(" (", f);
		print_name(f, base_name(frame->file), false);
		fprintf(f, ":%d)", frame->line);
	} else if (frame->function) {
		fputs(" (", f);
		print_name(f, base_name(frame->module), false);
		putc(')', f);
	}
	putc('\n', f);
}

static void text_hit(const struct output *out, const struct hit *hit, const struct frame *frames,
		     int n, bool more)
{
	const struct watch *watch = &out->watches[hit->watch];
	time_t seconds = hit->time / 1000000000;
	FILE *f = out->file;
	char clock[16];
	struct tm tm;
	int i;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
	fprintf(f, "%s.%06d %d/%d ", clock, (int)(hit->time % 1000000000 / 1000), hit->pid,
		hit->tid);
	print_name(f, hit->name, false);
	fprintf(f, ": %s: %s %u at 0x%" PRIx64, out->names[hit->watch], access_name(watch, hit),
		watch->len, watch->addr);
	if (watch->type != HW_BREAKPOINT_X) {
		fputs(": ", f);
		print_value(f, hit->has_old, hit->old, "?");
		fputs(" -> ", f);
		print_value(f, hit->has_new, hit->new, "?");
	}
	fputs(hit->late ? " (late)\n" : "\n", f);
	for (i = 0; i < n; i++)
		text_frame(f, &frames[i]);
	if (more)
		fputs("    ...\n", f);
}

static void json_frame(FILE *f, const struct frame *frame)
{
	fprintf(f, "{\"pc\":\"0x%" PRIx64 "\",", frame->pc);
	json_string(f, "function", frame->function);
	putc(',', f);
	fputs("\"offset\":", f);
	print_value(f, frame->module, frame->offset, "null");
	putc(',', f);
	json_string(f, "file", frame->file);
	fputs(",\"line\":", f);
	print_value(f, frame->file, frame->line, "null");
	putc(',', f);
	json_string(f, "module", frame->module);
	putc('}', f);
}

static void json_hit(const struct output *out, const struct hit *hit, const struct frame *frames,
		     int n, bool more)
{
	const struct watch *watch = &out->watches[hit->watch];
	FILE *f = out->file;
	int i;

	fprintf(f, "{\"event\":\"hit\",\"time_ns\":%" PRIu64 ",\"pid\":%d,\"tid\":%d,", hit->time,
		hit->pid, hit->tid);
	json_string(f, "name", hit->name);
	putc(',', f);
	json_string(f, "watch", out->names[hit->watch]);
	fprintf(f, ",\"access\":\"%s\",\"length\":%u,\"address\":\"0x%" PRIx64 "\",\"old\":",
		access_name(watch, hit), watch->len, watch->addr);
	print_value(f, hit->has_old, hit->old, "null");
	fputs(",\"new\":", f);
	print_value(f, hit->has_new, hit->new, "null");
	fprintf(f, ",\"late\":%s,\"frames\":[", hit->late ? "true" : "false");
	for (i = 0; i < n; i++) {
		if (i)
			putc(',', f);
		json_frame(f, &frames[i]);
	}
	fprintf(f, "],\"more\":%s}\n", more ? "true" : "false");
}

void print_hit(const struct output *out, const struct hit *hit, const struct frame *frames, int n,
	       bool more)
{
	(out->json ? json_hit : text_hit)(out, hit, frames, n, more);
}

void print_summary(const struct output *out, const struct summary *summary, uint64_t lost)
{
	const char *comma = "";
	unsigned int w;

	if (out->json) {
		fputs("{\"event\":\"summary\",\"watches\":[", out->file);
		for (w = 0; w < out->nr_watches; w++) {
			fprintf(out->file, "%s{", comma);
			json_string(out->file, "watch", out->names[w]);
			fprintf(out->file, ",\"hits\":%" PRIu64 ",\"threads\":%" PRIu64 "}",
				summary[w].hits, summary[w].threads);
			comma = ",";
		}
		fprintf(out->file, "],\"lost\":%" PRIu64 "}\n", lost);
	}
	fflush(out->file);
	/* JSON on stderr is to be nothing but JSON. */
	if (out->json && out->file == stderr)
		return;
	for (w = 0; w < out->nr_watches; w++)
		fprintf(stderr, "sigwatch: %s: %" PRIu64 " hit%s in %" PRIu64 " thread%s\n",
			out->names[w], summary[w].hits, summary[w].hits == 1 ? "" : "s",
			summary[w].threads, summary[w].threads == 1 ? "" : "s");
	if (lost)
		fprintf(stderr, "sigwatch: %" PRIu64 " of the hits could not be recorded\n", lost);
}
