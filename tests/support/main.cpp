// The main function of every test program; alone in its file because it is slow to compile.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

// Asked by LeakSanitizer, where there is one. libpqxx 6 forgets an answer that it throws about while a connection breaks.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions()
{
    return "leak:libpqxx";
}
