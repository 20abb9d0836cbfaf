# A folder is a target. Its sources are the .cpp files beside its CMakeLists.txt; what it may
# include is what it names in DEPENDS, and script/check-imports holds the code to that.

# jackfield_library(<name> [DEPENDS <jackfield targets>...] [PACKAGES <imported targets>...])
function(jackfield_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PACKAGES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources) # headers only
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPENDS} ${ARG_PACKAGES})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} ${ARG_PACKAGES} PRIVATE jackfield_flags)
endfunction()

# jackfield_test(<name> [DEPENDS ...]): one GoogleTest executable from tests/<folder>/*_test.cpp.
# Labels: unit (default); pass LABELS to say otherwise.
function(jackfield_test name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LABELS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_fuzz\\.cpp$")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} jackfield_flags GTest::gmock GTest::gtest_main)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${ARG_LABELS}")
endfunction()

# jackfield_fuzzer(<name> SOURCE <file> [DEPENDS ...]): a libFuzzer target, only with JACKFIELD_FUZZ.
function(jackfield_fuzzer name)
  cmake_parse_arguments(ARG "" "SOURCE" "DEPENDS" ${ARGN})
  if(NOT JACKFIELD_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCE})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} jackfield_flags)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
