# Three precompiled headers serve all targets: CAF's templates and the standard library's for what
# stands on CAF, GoogleTest's for tests, both for tests of the former. They only save time: a source
# includes what it uses, and the clang build of libraries, tests and fuzzers, which goes without them,
# holds it to that. (It would gain less: a sixth where CAF's templates are compiled, and clang is the
# quicker one as it is.)

set(jackfield_pch_std
  <algorithm> <chrono> <functional> <map> <memory> <optional> <string> <string_view>
  <unordered_map> <variant> <vector>)
set(jackfield_pch_caf ${jackfield_pch_std}
  <caf/actor_system.hpp> <caf/actor_system_config.hpp> <caf/event_based_actor.hpp>
  <caf/scoped_actor.hpp> <caf/stateful_actor.hpp>)
set(jackfield_pch_test ${jackfield_pch_std} <gmock/gmock.h> <gtest/gtest.h>)
set(jackfield_pch_caf_test ${jackfield_pch_caf} <gmock/gmock.h> <gtest/gtest.h>)

# jackfield_compile_fast(<target>): for tests, whose own code need not be fast: a sixth less to compile.
function(jackfield_compile_fast target)
  target_compile_options(${target} PRIVATE "$<$<CONFIG:RelWithDebInfo>:-O1;-g0>")
endfunction()

# jackfield_precompile(<target> <caf|test|caf_test> [packages whose headers these are...])
function(jackfield_precompile target kind)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    return()
  endif()
  set(owner jackfield_pch_${kind})
  if(NOT TARGET ${owner})
    set(source ${PROJECT_BINARY_DIR}/precompiled/${kind}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(${owner} OBJECT EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${owner} PRIVATE jackfield_flags ${ARGN})
    target_precompile_headers(${owner} PRIVATE ${jackfield_pch_${kind}})
    if(kind MATCHES "test$")
      jackfield_compile_fast(${owner})
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()
