#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

namespace jackfield::storage {

/// An empty directory of a test's own, gone with all that is in it at the end.
class temporary_directory {
public:
  temporary_directory() {
    auto name = (std::filesystem::temp_directory_path() / "jackfield-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr)
      path_ = name;
    EXPECT_FALSE(path_.empty()) << "no directory could be made for the test";
  }
  ~temporary_directory() {
    std::error_code none;
    if (!path_.empty())
      std::filesystem::remove_all(path_, none);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

} // namespace jackfield::storage
