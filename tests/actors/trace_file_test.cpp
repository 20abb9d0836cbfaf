#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include "actors/wire/trace_file.hpp"

namespace jackfield {
namespace {

using testing::HasSubstr;

class trace_file_test : public testing::Test {
protected:
  ~trace_file_test() override { std::filesystem::remove(path_); }
  [[nodiscard]] std::string text() const {
    std::ifstream file{path_, std::ios::binary};
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
  }

  std::string path_ =
    std::filesystem::temp_directory_path() / ("trace_file_test." + std::to_string(getpid()));
};

TEST_F(trace_file_test, takes_all_in_order) {
  const auto file = trace_file::create(path_, 1'000'000).value();
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const auto line = "line " + std::to_string(i) + "\n";
    expected += line;
    file->write(line);
  }
  file->close();
  EXPECT_EQ(text(), expected);
  EXPECT_FALSE(file->take_failure());
  file->write("too late\n");
  file->close();
  EXPECT_EQ(text(), expected);
}

TEST_F(trace_file_test, ends_at_its_limit_with_a_whole_line) {
  const auto file = trace_file::create(path_, 12).value();
  file->write("one\ntwo\n");
  EXPECT_TRUE(file->is_open());
  file->write("three is long\nfour\n");
  EXPECT_FALSE(file->is_open());
  file->write("five\n");
  file->close();
  EXPECT_EQ(text(), "one\ntwo\nthree is long\n"
                    "=== the trace ends here: its limit of 12 bytes is reached\n");
}

TEST_F(trace_file_test, tells_once_that_it_cannot_be_written) {
  const auto file = trace_file::create("/dev/full", 1'000'000).value();
  file->write("text\n");
  file->close();
  EXPECT_FALSE(file->is_open());
  const auto why = file->take_failure();
  ASSERT_TRUE(why);
  EXPECT_THAT(why->to_string(), HasSubstr("/dev/full"));
  EXPECT_THAT(why->to_string(), HasSubstr("No space left"));
  EXPECT_FALSE(file->take_failure());
}

TEST_F(trace_file_test, that_cannot_be_made_is_an_error) {
  const auto file = trace_file::create("/nowhere/at/all", 1);
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().to_string(), HasSubstr("--trace"));
}

} // namespace
} // namespace jackfield
