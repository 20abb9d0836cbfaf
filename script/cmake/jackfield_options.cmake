set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

option(JACKFIELD_TESTS "Build the tests" ON)
option(JACKFIELD_BENCH "Build the benchmarks" ON)
option(JACKFIELD_FUZZ "Build the libFuzzer targets too (clang, with JACKFIELD_SANITIZE)" OFF)
set(JACKFIELD_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Optimised, with line numbers for perf and back traces; assertions stay on.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1") # libsrtp

find_program(JACKFIELD_CCACHE ccache)
find_program(JACKFIELD_MOLD mold)
mark_as_advanced(JACKFIELD_CCACHE JACKFIELD_MOLD)
if(JACKFIELD_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this sloppiness ccache passes by whatever is compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    env CCACHE_SLOPPINESS=pch_defines,time_macros ${JACKFIELD_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${JACKFIELD_CCACHE})
endif()
if(JACKFIELD_MOLD)
  # Code that rarely runs (errors) apart from what runs for each message, as GNU ld puts it too.
  add_link_options(-fuse-ld=mold -Wl,-z,keep-text-section-prefix)
endif()

# What every source of ours is compiled with: warnings as errors, includes from the root.
add_library(jackfield_flags INTERFACE)
target_compile_options(jackfield_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wvla
  -fno-omit-frame-pointer)
target_include_directories(jackfield_flags INTERFACE ${PROJECT_SOURCE_DIR})

if(JACKFIELD_SANITIZE)
  add_compile_options(-O1 -g1 -fsanitize=${JACKFIELD_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${JACKFIELD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With sanitizers g++ 12 takes <regex>'s own variables for uninitialized.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
if(JACKFIELD_FUZZ)
  # The same objects serve fuzzers, which read what this counts, and tests, in which nobody does.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
