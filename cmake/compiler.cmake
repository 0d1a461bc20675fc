# How every target is compiled: language, warnings, sanitizers, and what makes builds quick and reproducible.

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(rowcast_compiler INTERFACE)
target_compile_features(rowcast_compiler INTERFACE cxx_std_20)
set(CMAKE_CXX_EXTENSIONS OFF)

target_compile_options(rowcast_compiler INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
    -Wimplicit-fallthrough -Wundef
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
    # libstdc++ 12 uses, inside its own algorithms, what it has marked deprecated; only clang says so.
    $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
    # Part of -Wconversion for clang only.
    $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
    $<$<BOOL:${ROWCAST_WARNINGS_AS_ERRORS}>:-Werror>
    # No trace of where the tree stood: the same sources give the same bytes.
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(rowcast_compiler INTERFACE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE)
    target_link_options(rowcast_compiler INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

if(ROWCAST_SANITIZE)
    target_compile_options(rowcast_compiler INTERFACE -fsanitize=${ROWCAST_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(rowcast_compiler INTERFACE -fsanitize=${ROWCAST_SANITIZE})
    target_compile_definitions(rowcast_compiler INTERFACE ROWCAST_SANITIZED)
endif()

# Paths below the source folder are hashed as relative ones, so that several checkouts share the cache.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

find_program(MOLD mold)
if(MOLD)
    target_link_options(rowcast_compiler INTERFACE -fuse-ld=mold)
endif()
