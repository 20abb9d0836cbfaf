// Notes, for each test, how long it took and which changes it reached. script/mutate lays it beside tests.
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "mutation.hpp"

namespace {

class recorder : public testing::EmptyTestEventListener {
public:
  explicit recorder(const char* path) : file_{std::fopen(path, "w")} {}

  void OnTestEnd(const testing::TestInfo& test) override {
    if (!file_)
      return;
    std::fprintf(file_, "%s.%s %lld", test.test_suite_name(), test.name(),
                 static_cast<long long>(test.result()->elapsed_time()));
    for (int i = 0; i < jackfield_mutation::most; ++i)
      if (jackfield_mutation::reached[i].exchange(false))
        std::fprintf(file_, " %d", i);
    std::fputc('\n', file_);
    std::fflush(file_);
  }

private:
  std::FILE* file_;
};

const bool recording = [] {
  if (const char* path = std::getenv("JACKFIELD_MUTATION_RECORD"))
    testing::UnitTest::GetInstance()->listeners().Append(new recorder{path});
  return true;
}();

} // namespace
