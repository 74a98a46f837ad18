/* A host that loads the library at run time, and lets it go while it still works. Arguments: a catalog, the library. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* dlopen */
#endif
#include "aftercart.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define SAY(condition) \
    if (!(condition)) { \
        printf("line %d: not so: %s\n", __LINE__, #condition); \
        return 1; \
    }

int main(int argc, char **argv)
{
    SAY(argc == 3);
    for (int round = 0; round < 3; round++) {
        void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        SAY(library != NULL);
        int32_t (*open)(const char *, size_t, const aftercart_options *, aftercart_engine **, aftercart_error *);
        int32_t (*close)(aftercart_engine *), (*selftest)(aftercart_decider *, uint32_t);
        const char *(*status_name)(int32_t);
        *(void **)&open = dlsym(library, "aftercart_engine_open");
        *(void **)&close = dlsym(library, "aftercart_engine_close");
        *(void **)&selftest = dlsym(library, "aftercart_selftest");
        *(void **)&status_name = dlsym(library, "aftercart_status_name");
        SAY(open && close && selftest && status_name);
        aftercart_engine *engine = NULL;
        SAY(open(argv[1], strlen(argv[1]), NULL, &engine, NULL) == AFTERCART_OK);
        SAY(dlclose(library) == 0); /* while its thread reads the catalog ahead */
        SAY(selftest(NULL, AFTERCART_SELFTEST_PANIC) == AFTERCART_INTERNAL);
        SAY(strcmp(status_name(close(engine)), "OK") == 0);
    }
    puts("ok");
    return 0;
}
