# Unit tests and fuzzers; included by the Makefile.
#
#   make test-build   all that the tests need, for `make -j`
#   make unit         each program of tests/unit, under prove; what compresses, with each library
#   make fuzz-build   each target of tests/fuzz, with clang
#   make fuzz         runs each on all of tests/fuzz/corpus, then on what it makes of that, for
#                     FUZZ_SECONDS; a crash fails.  `make -j2 fuzz` runs two at a time
#   make fuzz FUZZ_RUNS=100000000    so many executions of each, however long that takes
#   make fuzz FUZZ_RUNS=0            the corpus alone
#   make fuzz-NAME    one of them

PROVE = prove
UNIT_SHARED = tap scratch sample
UNIT_OF_IMPORT = copy_text verdict
UNIT_TESTS = $(filter-out $(UNIT_SHARED),$(basename $(notdir $(wildcard tests/unit/*.c))))
UNIT_PROGRAMS = $(addprefix $(BUILD)/tests/unit/,$(UNIT_TESTS))
UNIT_SHARED_OBJECTS = $(UNIT_SHARED:%=$(OBJ)/tests/unit/%.o)

# For a sanitizer: a size beyond all memory is a test's, and who dies doesn't tidy up.
UNIT_ASAN = allocator_may_return_null=1:detect_leaks=0

# Where ISA-L is the codec, zlib is tried beside it: the same objects, but for one.
ZLIB_TOO := $(if $(filter yes,$(ISAL)),$(shell $(PKG_CONFIG) --exists zlib 2>/dev/null && echo yes))
ifeq ($(ZLIB_TOO),yes)
UNIT_OF_ZLIB = $(BUILD)/tests/unit/zlib/gz
ZLIB_PROGRAMS = $(PROGRAMS:$(BUILD)/%=$(BUILD)/zlib/%)
system: $(ZLIB_PROGRAMS)
endif

$(OBJ)/zlib/libdml.a: $(filter-out %/codec_isal.o,$(COMMON)) $(OBJ)/common/codec_zlib.o
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/zlib/dml-export: $(EXPORT) $(OBJ)/zlib/libdml.a
$(BUILD)/zlib/dml-import: $(IMPORT) $(OBJ)/zlib/libdml.a
$(BUILD)/tests/unit/zlib/gz: $(OBJ)/tests/unit/gz.o $(UNIT_SHARED_OBJECTS) $(OBJ)/zlib/libdml.a
$(BUILD)/zlib/dml-export $(BUILD)/zlib/dml-import $(BUILD)/tests/unit/zlib/gz:
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(ALL_LIBS) -lz

unit: $(UNIT_PROGRAMS) $(UNIT_OF_ZLIB)
	@ASAN_OPTIONS=$${ASAN_OPTIONS:+$$ASAN_OPTIONS:}$(UNIT_ASAN) $(PROVE) --exec '' $^

test-build: all $(UNIT_PROGRAMS) $(UNIT_OF_ZLIB) $(ZLIB_PROGRAMS) sweep-tools

$(OBJ)/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon $(UNIT_INCLUDE) -c -o $@ $<

# What tests a module of dml-import's own.
$(UNIT_OF_IMPORT:%=$(OBJ)/tests/unit/%.o): UNIT_INCLUDE = -Idml-import
$(UNIT_OF_IMPORT:%=$(BUILD)/tests/unit/%): $(BUILD)/tests/unit/%: $(OBJ)/dml-import/%.o

$(UNIT_PROGRAMS): $(BUILD)/tests/unit/%: $(OBJ)/tests/unit/%.o $(UNIT_SHARED_OBJECTS) $(OBJ)/libdml.a
	@mkdir -p $(@D)
	$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(ALL_LIBS)

# libFuzzer comes with clang; zlib is asked what the gzip reader should have said.
FUZZ_CC = clang
FUZZ_SECONDS = 10
FUZZ_RUNS =
FUZZ_LIMIT = $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS))
FUZZ_SHARED = arguments die_stub zlib_oracle
FUZZ = $(filter-out $(FUZZ_SHARED),$(basename $(notdir $(wildcard tests/fuzz/*.c))))
FUZZ_SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CFLAGS = $(filter-out $(HARDENING) $(SANITIZE),$(ALL_CFLAGS)) -O2 $(FUZZ_SANITIZE) \
	$(FUZZ_COVERAGE) -DIO_BUFFER=4096 -DCODEC_TOKENS=8192
# What is new is what the programs do, not what the test makes of it.
FUZZ_COVERAGE = -fsanitize=fuzzer-no-link
$(OBJ)/fuzz/tests/fuzz/%.o: FUZZ_COVERAGE =
# Much of the time went into stacks of allocations, and into memory that was kept from being used
# again; a finding's input tells the stacks when it is run by hand.
FUZZ_ASAN = malloc_context_size=0:quarantine_size_mb=1:allocator_release_to_os_interval_ms=-1
# Bytes of an input, at most: what is longer is only slower.
FUZZ_LENGTH = 512
fuzz-escape fuzz-name_directory fuzz-name_sql fuzz-pattern: FUZZ_LENGTH = 140
fuzz-manifest: FUZZ_LENGTH = 1024
FUZZ_LIBS = $(FUZZ_SANITIZE) -fsanitize=fuzzer $(LIBRARY_LIBS) -lz

# All of common/ but die.c, in whose place stands die_stub.c; only what die.c itself is asked
# needs the real one, and what tests a module of a program that module.
FUZZ_COMMON = $(patsubst $(OBJ)/%,$(OBJ)/fuzz/%,$(filter-out %/die.o,$(COMMON)))
$(BUILD)/fuzz/escape: $(OBJ)/fuzz/common/die.o
$(BUILD)/fuzz/copy_text: $(OBJ)/fuzz/dml-import/copy_text.o
$(BUILD)/fuzz/export_options: $(OBJ)/fuzz/dml-export/options.o
$(BUILD)/fuzz/import_options: $(OBJ)/fuzz/dml-import/options.o
$(BUILD)/fuzz/export_options $(BUILD)/fuzz/import_options: FUZZ_LINK = -Wl,--wrap=exit
$(OBJ)/fuzz/tests/fuzz/export_options.o: FUZZ_INCLUDE = -Idml-export
$(OBJ)/fuzz/tests/fuzz/copy_text.o \
	$(OBJ)/fuzz/tests/fuzz/import_options.o: FUZZ_INCLUDE = -Idml-import

fuzz-build: $(FUZZ:%=$(BUILD)/fuzz/%)

.PRECIOUS: $(OBJ)/fuzz/%.o
$(OBJ)/fuzz/%.o: %.c | $(SQL)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -Icommon -I$(OBJ)/common $(FUZZ_INCLUDE) -c -o $@ $<

$(OBJ)/fuzz/libfuzz.a: $(FUZZ_COMMON) $(FUZZ_SHARED:%=$(OBJ)/fuzz/tests/fuzz/%.o)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/fuzz/%: $(OBJ)/fuzz/tests/fuzz/%.o $(OBJ)/fuzz/libfuzz.a
	@mkdir -p $(@D)
	$(FUZZ_CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_LINK) $(FUZZ_LIBS)

fuzz:
	scripts/install-deps lint
	@$(MAKE) --no-print-directory fuzz-built

fuzz-built: $(FUZZ:%=fuzz-%)

# From a copy of its corpus: what a run finds stays out of the tree.  What crashes it is left
# in $(BUILD)/fuzz/NAME-*.
$(FUZZ:%=fuzz-%): fuzz-%: $(BUILD)/fuzz/%
	@corpus=$$(mktemp -d) && cp tests/fuzz/corpus/$*/* "$$corpus" && \
	    ASAN_OPTIONS=$${ASAN_OPTIONS:-$(FUZZ_ASAN)} \
	    $< $(FUZZ_LIMIT) -max_len=$(FUZZ_LENGTH) -timeout=20 -artifact_prefix=$<- \
	        "$$corpus" >$<.log 2>&1; \
	    status=$$?; rm -rf "$$corpus"; \
	    if [ $$status -eq 0 ]; then sed -n "s/^Done/$*: done/p" $<.log; \
	    else grep -v '^#[0-9]' $<.log; echo "$*: exit status $$status" >&2; exit 1; fi

-include tests/sweeps.mk

-include $(wildcard $(OBJ)/tests/*/*.d $(OBJ)/fuzz/*/*.d $(OBJ)/fuzz/tests/fuzz/*.d)

.PHONY: test-build unit fuzz-build fuzz fuzz-built $(FUZZ:%=fuzz-%)

# Versions of the server, and the benchmark.
#
#   make versions   the system tests against each of VERSIONS, source and target
#   make bench      against the limits of COPY, on two clusters; scripts/bench takes sections

VERSIONS = 13 14 15 16 17 18

versions:
	scripts/install-deps test
	@$(MAKE) --no-print-directory all sweep-tools
	perl -Itests/lib tests/versions.pl $(VERSIONS)

bench:
	scripts/install-deps bench
	@$(MAKE) --no-print-directory all $(BUILD)/tests/run/group
	scripts/bench

.PHONY: versions bench
