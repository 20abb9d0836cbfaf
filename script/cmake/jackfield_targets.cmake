# A folder is a target. Its sources are the .cpp files beside its CMakeLists.txt; what it may
# include is what it names in DEPENDS, and script/check-imports holds the code to that.

if(JACKFIELD_TESTS)
  include(GoogleTest)
  add_custom_target(unit_tests)
  add_custom_target(fuzzers)
endif()

# Notes on <target> whether it stands on CAF, by what it links, and leaves the answer in <result>.
function(jackfield_stands_on_caf target result)
  set(caf OFF)
  foreach(link IN LISTS ARGN)
    if(link STREQUAL "caf_core")
      set(caf ON)
    elseif(TARGET ${link})
      get_target_property(inherited ${link} JACKFIELD_STANDS_ON_CAF)
      if(inherited)
        set(caf ON)
      endif()
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES JACKFIELD_STANDS_ON_CAF ${caf})
  set(${result} ${caf} PARENT_SCOPE)
endfunction()

# jackfield_library(<name> [DEPENDS <jackfield targets>...] [PACKAGES <imported targets>...])
function(jackfield_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PACKAGES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources) # headers only
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPENDS} ${ARG_PACKAGES})
    jackfield_stands_on_caf(${name} caf ${ARG_DEPENDS} ${ARG_PACKAGES})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} ${ARG_PACKAGES} PRIVATE jackfield_flags)
  jackfield_stands_on_caf(${name} caf ${ARG_DEPENDS} ${ARG_PACKAGES})
  if(caf)
    jackfield_precompile(${name} caf caf_core)
  endif()
endfunction()

# jackfield_program(<name> [DEPENDS ...] [PACKAGES ...]): an executable at the build folder's root.
function(jackfield_program name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PACKAGES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} ${ARG_PACKAGES} jackfield_flags)
  jackfield_stands_on_caf(${name} caf ${ARG_DEPENDS} ${ARG_PACKAGES})
  if(caf)
    jackfield_precompile(${name} caf caf_core)
  endif()
endfunction()

# jackfield_test(<name> [THREADS] [LABEL <label>] [UNPACED <suites>...] [DEPENDS ...] [PACKAGES ...]):
# one GoogleTest executable from tests/<folder>/*_test.cpp. Its tests run from the project's root. The
# label is unit unless told: unit tests run under ASan and UBSan too. THREADS: also under
# ThreadSanitizer. Tests labelled interop have the machine to themselves, but for those of UNPACED
# suites, which keep no rate and run side by side.
function(jackfield_test name)
  cmake_parse_arguments(ARG "THREADS" "LABEL" "UNPACED;DEPENDS;PACKAGES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_fuzz\\.cpp$")
  if(NOT sources OR (JACKFIELD_SANITIZE STREQUAL "thread" AND NOT ARG_THREADS))
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE
    ${ARG_DEPENDS} ${ARG_PACKAGES} jackfield_flags GTest::gmock GTest::gtest_main)
  jackfield_compile_fast(${name})
  jackfield_stands_on_caf(${name} caf ${ARG_DEPENDS} ${ARG_PACKAGES})
  if(caf)
    jackfield_precompile(${name} caf_test caf_core GTest::gmock)
  else()
    jackfield_precompile(${name} test GTest::gmock)
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(ARG_LABEL STREQUAL "unit")
    add_dependencies(unit_tests ${name})
  endif()
  set(environment)
  if(JACKFIELD_SANITIZE STREQUAL "thread")
    set(environment ENVIRONMENT
      "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/script/sanitizers/tsan.supp")
  endif()
  # The sanitizers start slowly on a busy machine; a test that outlives its limit hangs.
  set(discover
    DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 600 ${environment})
  if(NOT ARG_LABEL STREQUAL "interop")
    gtest_discover_tests(${name} ${discover})
    return()
  endif()
  set(unpaced ${ARG_UNPACED})
  list(TRANSFORM unpaced REPLACE "(.+)" "\\1.*:*/\\1.*") # *: instances of a suite with parameters
  list(JOIN unpaced ":" unpaced)
  if(unpaced)
    gtest_discover_tests(${name} TEST_FILTER "${unpaced}" ${discover})
  endif()
  # Several programs that want the machine, and a rate to hold.
  gtest_discover_tests(${name} TEST_FILTER "-${unpaced}" ${discover} RUN_SERIAL ON)
endfunction()

# jackfield_fuzzer(<name> SOURCE <file> [DEPENDS ...] [SEEDS <folders>...]): a libFuzzer target, only
# with JACKFIELD_FUZZ; it links the libraries that the sanitized tests link. SEEDS are folders beside the source or under ../shared/data; those that are
# absent are left out. As a test, it runs over its seeds and a fixed series of inputs made from them.
function(jackfield_fuzzer name)
  cmake_parse_arguments(ARG "" "SOURCE" "DEPENDS;SEEDS" ${ARGN})
  if(NOT JACKFIELD_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCE})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} jackfield_flags)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})

  set(corpus ${PROJECT_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${corpus})
  set(seeds)
  foreach(folder IN LISTS ARG_SEEDS)
    foreach(parent ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/../shared/data)
      if(IS_DIRECTORY ${parent}/${folder})
        list(APPEND seeds ${parent}/${folder})
      endif()
    endforeach()
  endforeach()
  add_test(NAME ${name}
    COMMAND ${name} -seed=1 -runs=20000 -max_total_time=30 -timeout=10 -rss_limit_mb=2048
      -artifact_prefix=${PROJECT_BINARY_DIR}/found-${name}- ${corpus} ${seeds}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  # script/fuzz reads this list: name, program, corpus, seeds.
  list(JOIN seeds " " seeds)
  set_property(GLOBAL APPEND_STRING PROPERTY JACKFIELD_FUZZERS
    "${name}\t$<TARGET_FILE:${name}>\t${corpus}\t${seeds}\n")
endfunction()
