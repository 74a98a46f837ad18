/* Counts every allocation while decisions are made: it replaces the allocator of the whole process. Argument: a catalog. */
#include "request.h"

#include <errno.h>
#include <time.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static size_t calls;

void *malloc(size_t size) { calls++; return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { calls++; return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { calls++; return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { calls++; return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) { return (*out = memalign(alignment, size)) ? 0 : ENOMEM; }
void free(void *old) { calls += old != NULL; __libc_free(old); }

static request typical, large, wrong;

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    aftercart_engine *engine = open_engine(argv[1]);
    CHECK(calls > 0); /* the counter is in place */
    aftercart_decider *decider = new_decider(engine);

    fresh(&typical);
    fresh(&large);
    for (int i = 0; i < 1024; i++) {
        large.facts[i].kind = 1 + i % AFTERCART_FACT_CART_REMOVED;
        large.facts[i].id = large.lines[0].item_id;
    }
    large.fact_count = 1024;
    fresh(&wrong);
    wrong.lines[0].item_id.length = 5000;

    size_t before = calls;
    for (int i = 0; i < 1000; i++) {
        EXPECT(AFTERCART_OK, decide(decider, &typical)); /* from the first one on */
        EXPECT(AFTERCART_NO_OFFERS, decide(decider, &large));
        EXPECT(AFTERCART_BAD_STRING, decide(decider, &wrong));
    }
    size_t after = calls;
    printf("%zu allocations in 3000 decisions\n", after - before);
    CHECK(after == before);

    EXPECT(AFTERCART_OK, aftercart_decider_free(decider));
    EXPECT(AFTERCART_OK, aftercart_engine_close(engine));
    return 0;
}
