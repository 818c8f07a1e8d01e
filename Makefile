# ragstack: one Makefile, objects in build/<variant>/. `make help` lists the targets.
VARIANT ?= debug
CC      ?= gcc
BUILD   := build/$(VARIANT)
VERSION := 0.1.0

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wwrite-strings \
            -Wformat=2 -Wvla -Wundef
LIBRARIES := libcurl openssl libcjson yaml-0.1 expat libgit2 libzip libutf8proc libpq libmicrohttpd \
             libxml-2.0
CPPFLAGS += -I. -D_GNU_SOURCE -DRAGSTACK_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(LIBRARIES))
LDLIBS   += $(shell pkg-config --libs $(LIBRARIES)) -lm
CFLAGS_debug   := -O1 -g
CFLAGS_release := -O2 -g -DNDEBUG -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS_asan    := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread
CFLAGS_cov     := -O0 -g --coverage
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined
CFLAGS   += -std=gnu17 -pthread $(WARNINGS) $(if $(CI),-Werror) $(CFLAGS_$(VARIANT))
LDFLAGS  += -pthread $(filter -fsanitize=% --coverage,$(CFLAGS_$(VARIANT))) $(if $(filter release,$(VARIANT)),-pie)

PKG_SOURCES     := $(wildcard pkg/*/*.c)
CLI_SOURCES     := $(wildcard cmd/ragstack/*.c)
HANDLER_SOURCES := $(wildcard cmd/rag-handler/*.c)
UNIT_SOURCES    := $(wildcard tests/unit/test_*.c)
UNIT_FAKES      := $(filter-out $(UNIT_SOURCES),$(wildcard tests/unit/*.c)) # for any test that refers to one
FUZZ_SOURCES    := $(wildcard tests/fuzz/fuzz_*.c)
object = $(patsubst %.c,$(BUILD)/%.o,$(1))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/%,$(UNIT_SOURCES))
FUZZERS    := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(FUZZ_SOURCES))

.PHONY: all handler help lib unit fuzzers test soak test-asan test-tsan torture fuzz cov clean format tidy \
        check-layers check-headers check-size check-banned check-format tidy-quick demo demo-aws bench bench-retrieval bench-handlers install setup
all: $(BUILD)/ragstack handler ## build the program and the handlers

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

$(BUILD)/libragstack.a: $(call object,$(PKG_SOURCES))
	@rm -f $@; ar rcs $@ $^

$(BUILD)/libfakes.a: $(call object,$(UNIT_FAKES))
	@rm -f $@; ar rcs $@ $^

$(BUILD)/ragstack: $(call object,$(CLI_SOURCES)) $(BUILD)/libragstack.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The handlers: one static program. For another processor:
# make handler HANDLER_ARCHITECTURE=arm64 HANDLER_CC=aarch64-linux-gnu-gcc
OWN_ARCHITECTURE := $(patsubst aarch64,arm64,$(shell uname -m))
HANDLER_ARCHITECTURE ?= $(OWN_ARCHITECTURE)
HANDLER_CC       ?= gcc
HANDLER_PACKAGES := base value task http aws pg rag lambda
HANDLER_BUILD    := build/handler-$(HANDLER_ARCHITECTURE)
HANDLER_OBJECTS  := $(patsubst %.c,$(HANDLER_BUILD)/%.o,$(HANDLER_SOURCES) \
                      $(wildcard $(HANDLER_PACKAGES:%=pkg/%/*.c)))
HANDLER_CFLAGS   := -I. -I$(HANDLER_BUILD)/include -D_GNU_SOURCE -DRAGSTACK_VERSION='"$(VERSION)"' \
                    -std=gnu17 -pthread $(WARNINGS) -O2 -DNDEBUG -D_FORTIFY_SOURCE=2 \
                    -fstack-protector-strong -ffunction-sections -fdata-sections
HANDLER_CERTIFICATES := $(wildcard cmd/rag-handler/certificates/*.pem)
handler: $(BUILD)/handler-$(HANDLER_ARCHITECTURE).zip $(if $(filter $(OWN_ARCHITECTURE),$(HANDLER_ARCHITECTURE)),$(BUILD)/bootstrap) ## build the handlers' zip
$(HANDLER_BUILD)/libraries: cmd/rag-handler/static-libraries.sh
	$< $(HANDLER_BUILD) $(HANDLER_CC) && touch $@
$(HANDLER_BUILD)/%.o: %.c $(HANDLER_BUILD)/flags $(HANDLER_BUILD)/libraries
	@mkdir -p $(@D)
	$(HANDLER_CC) $(HANDLER_CFLAGS) -MMD -MP -c -o $@ $<
# -w: the linker would warn of getaddrinfo and the like, which nothing here reaches (c-ares asks the DNS).
$(HANDLER_BUILD)/bootstrap: $(HANDLER_OBJECTS)
	@rm -f $(@D)/libhandler.a; ar rcs $(@D)/libhandler.a $^
	$(HANDLER_CC) -static-pie -s -pthread -Wl,--gc-sections,-w -L$(@D)/lib -o $@ \
	  $(HANDLER_BUILD)/cmd/rag-handler/main.o $(@D)/libhandler.a -lcurl -lcares -lcjson -lpq -lpgcommon -lpgport -lexpat \
	  -lssl -lcrypto -lm
# Sanitizers and coverage cannot be linked in statically: there it is an ordinary program.
BOOTSTRAP := $(if $(filter asan tsan cov,$(VARIANT)),$(BUILD)/rag-handler,$(HANDLER_BUILD)/bootstrap)
$(BUILD)/bootstrap $(BUILD)/handler-$(HANDLER_ARCHITECTURE)/bootstrap: $(BOOTSTRAP)
	@mkdir -p $(@D); cp $< $@
$(BUILD)/handler-$(HANDLER_ARCHITECTURE).zip: $(BUILD)/handler-$(HANDLER_ARCHITECTURE)/bootstrap $(BUILD)/ragstack $(HANDLER_CERTIFICATES)
	$(BUILD)/ragstack bundle $@ $< $(HANDLER_CERTIFICATES)

$(BUILD)/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/libfakes.a $(BUILD)/libragstack.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libragstack.a
	$(CC) $(LDFLAGS) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,$(BUILD)/tests/fuzz/replay.o) \
	  -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

$(BUILD)/fuzz_plan: $(call object,cmd/ragstack/plan_file.c)
$(BUILD)/fuzz_event: $(call object,$(filter-out %/main.c,$(HANDLER_SOURCES)))
$(BUILD)/fuzz_event $(BUILD)/rag-handler: LDLIBS += -lcares
$(BUILD)/rag-handler: $(call object,$(HANDLER_SOURCES)) $(BUILD)/libragstack.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# A changed flag rebuilds everything.
$(BUILD)/flags: FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(HANDLER_BUILD)/flags: FLAGS := $(HANDLER_CC) $(HANDLER_CFLAGS)
$(BUILD)/flags $(HANDLER_BUILD)/flags: force
	@mkdir -p $(@D); echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' > $@
.PHONY: force
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
# It takes the templates in.
$(BUILD)/cmd/ragstack/template.o: $(wildcard templates/*.* templates/*/*)
$(BUILD)/cmd/rag-handler/page.o $(HANDLER_BUILD)/cmd/rag-handler/page.o: templates/page.html templates/openapi.json
$(BUILD)/pkg/local/fetch.o: pkg/local/fetch_postgres.sh
$(BUILD)/pkg/watch/price_table.o: pkg/watch/prices.json

lib: $(BUILD)/libragstack.a $(call object,$(CLI_SOURCES)) $(call object,$(HANDLER_SOURCES)) ## compile everything, without linking the programs
# All its time goes into a few loops.
$(BUILD)/pkg/encoder/transformer.o: CFLAGS += $(if $(filter release debug,$(VARIANT)),-O3)

unit: $(UNIT_TESTS) ## build the unit tests
fuzzers: $(if $(filter fuzz,$(VARIANT)),,$(BUILD)/tests/fuzz/replay.o) $(FUZZERS) ## build the fuzzers (VARIANT=fuzz CC=clang), or their corpus replayers

$(BUILD)/ragstack.1: $(BUILD)/ragstack
	$< man > $@
PREFIX ?= /usr/local
SHARE   = $(DESTDIR)$(PREFIX)/share
install: all $(BUILD)/ragstack.1 ## install below PREFIX (/usr/local), with man page and completions
	install -Dm755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/ragstack
	install -Dm644 -t $(DESTDIR)$(PREFIX)/lib/ragstack $(BUILD)/handler-*.zip
	install -Dm644 -t $(SHARE)/man/man1 $(BUILD)/ragstack.1
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/vendor-completions $(SHARE)/fish/vendor_completions.d
	$(BUILD)/ragstack completion bash > $(SHARE)/bash-completion/completions/ragstack
	$(BUILD)/ragstack completion zsh > $(SHARE)/zsh/vendor-completions/_ragstack
	$(BUILD)/ragstack completion fish > $(SHARE)/fish/vendor_completions.d/ragstack.fish

# -- tests ----------------------------------------------------------------------------------------

PYTHON = $(firstword $(wildcard build/venv/bin/python) python3)
JOBS  ?= $(shell nproc)
FUZZ_SECONDS ?= 60
setup: ## install what building and testing needs (asks for root once)
	tests/setup
test: setup ## everything in under ten minutes: builds, checks, the units under ASan and UBSan, all suites
	$(MAKE) -j$(JOBS) all
	$(MAKE) -j$(JOBS) VARIANT=asan unit fuzzers build/asan/rag-handler
	$(PYTHON) tests/run --timeout 900 --jobs 3 --only checks --only asan --only aws --only cli --only local --only web
soak: test ## what takes longer: the analyzer, suites under ASan, units under TSan and valgrind, torture, fuzzing
	tests/setup soak
	$(MAKE) -j$(JOBS) unit fuzzers
	$(MAKE) -j$(JOBS) VARIANT=asan all
	$(MAKE) -j$(JOBS) VARIANT=tsan unit
	$(PYTHON) tests/run --variant asan --timeout 1800 --only cli --only aws --only local
	$(PYTHON) tests/run --variant asan --timeout 3600 --only soak test_adopt test_data test_ec2_kinds
	THOROUGH=1 $(PYTHON) tests/run --timeout 3600 --only aws kinds
	LOAD_QUESTIONS=20000 $(PYTHON) tests/run --timeout 1800 --only local load
	$(PYTHON) tests/run --timeout 3600 --only analysis --only soak --only tsan --only valgrind --only torture
	$(MAKE) fuzz
test-asan test-tsan: test-%: ## the unit tests under a sanitizer
	$(MAKE) -j$(JOBS) VARIANT=$* unit $(if $(filter asan,$*),fuzzers)
	$(PYTHON) tests/run --only $*
torture: all ## crashes, faults and slow networks
	$(PYTHON) tests/run --timeout 3600 --only torture
fuzz: ## fuzz each parser for FUZZ_SECONDS
	$(MAKE) -j$(JOBS) VARIANT=fuzz CC=clang fuzzers
	set -e; for fuzzer in $(FUZZ_SOURCES:tests/fuzz/fuzz_%.c=%); do mkdir -p build/fuzz/corpus/$$fuzzer; \
	  build/fuzz/fuzz_$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	  build/fuzz/corpus/$$fuzzer tests/fuzz/corpus/$$fuzzer; done
cov: ## which lines the tests reach
	$(MAKE) -j$(JOBS) VARIANT=cov all unit fuzzers
	find build/cov -name '*.gcda' -delete
	-$(PYTHON) tests/run --variant cov --only unit --only fuzz --only cli --only aws
	$(PYTHON) tests/coverage.py build/cov
bench: ## measure beside terraform, in one run
	$(MAKE) -j$(JOBS) VARIANT=release all build/release/latency_proxy build/release/diff_scale
	build/release/diff_scale
	$(PYTHON) tests/bench/run.py build/release $(BENCH)
	$(PYTHON) tests/bench/watching.py build/release
bench-retrieval: ## measure search and refusals on examples/, alone and among 3,000 others
	$(MAKE) -j$(JOBS) VARIANT=release all build/release/retrieval
	$(PYTHON) tests/bench/retrieval.py build/release
bench-handlers: ## measure the handlers beside one in Python, and search among 50,000 passages
	tests/setup bench
	$(MAKE) -j$(JOBS) VARIANT=release all
	$(PYTHON) tests/bench/handlers.py build/release $(BENCH)
$(BUILD)/latency_proxy $(BUILD)/diff_scale $(BUILD)/retrieval: $(BUILD)/%: $(BUILD)/tests/bench/%.o $(BUILD)/libragstack.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
demo: ## the whole product on this machine: a stack, documents, three questions, the page
	tests/demo
demo-aws: ## stacks/rag.yaml on an emulated AWS: up, diff, status, outputs, down
	tests/demo-aws

# -- checks ---------------------------------------------------------------------------------------

SOURCES := $(PKG_SOURCES) $(CLI_SOURCES) $(HANDLER_SOURCES)
HEADERS := $(wildcard pkg/*/*.h cmd/*/*.h tests/unit/*.h)
check-layers: ## packages include only what is below them
	@tests/check_layers.py
check-banned: ## no banned function, no empty name
	@tests/check_banned.py
check-size: $(BUILD)/ragstack ## functions, files and the program stay small
	@tests/check_size.py $<
check-headers: ## each header compiles alone
	@printf '%s\n' $(HEADERS) | xargs -P$(JOBS) -n1 $(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -Werror -fsyntax-only -x c
check-format: ## everything is as clang-format wants it
	@clang-format --dry-run -Werror $(SOURCES) $(HEADERS) $(UNIT_SOURCES) $(UNIT_FAKES) $(FUZZ_SOURCES)
format: ## format all C files
	clang-format -i $(SOURCES) $(HEADERS) $(UNIT_SOURCES) $(UNIT_FAKES) $(FUZZ_SOURCES)
tidy-quick: $(SOURCES:%.c=build/tidy-quick/%.ok) ## clang-tidy without its analyzer, which takes twenty times as long
build/tidy-quick/%.ok: $(BUILD)/%.o .clang-tidy
	@mkdir -p $(@D); clang-tidy --quiet --checks='-clang-analyzer-*' $*.c -- $(CPPFLAGS) -std=gnu17 >$@.log 2>/dev/null || { cat $@.log; exit 1; }; touch $@
tidy: $(SOURCES:%.c=build/tidy/%.ok) ## clang-tidy over what has changed since it last passed
build/tidy/%.ok: $(BUILD)/%.o .clang-tidy
	@mkdir -p $(@D); clang-tidy --quiet $*.c -- $(CPPFLAGS) -std=gnu17 >$@.log 2>/dev/null || { cat $@.log; exit 1; }; touch $@

clean: ## remove everything built
	rm -rf build

.SECONDARY:
-include $(shell find $(BUILD) $(HANDLER_BUILD) -path '*/work' -prune -o -name '*.d' -print 2>/dev/null)
