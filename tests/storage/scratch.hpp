#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/mount.h>

#include <gtest/gtest.h>

#include "storage/rocks_store.hpp"

namespace jackfield::storage {

/// A directory of the test's own, that goes with it.
class scratch {
public:
  scratch() {
    auto name = (std::filesystem::temp_directory_path() / "jackfield-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = name;
  }
  ~scratch() {
    if (mounted_)
      (void)::umount(path_.c_str());
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Makes it a file system in memory. Needs root: false where it may not.
  bool mount(const std::string& options) {
    return mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  void make_read_only() const {
    ASSERT_EQ(::mount("none", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  }

private:
  std::filesystem::path path_;
  bool mounted_ = false;
};

/// The files of a store's directory with an extension, in order.
inline std::vector<std::filesystem::path> files(const std::filesystem::path& directory,
                                                std::string_view extension) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() == extension)
      found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

inline std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void replace(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline void flip(const std::filesystem::path& path, size_t offset) {
  auto bytes = content(path);
  ASSERT_LT(offset, bytes.size());
  bytes[offset] = static_cast<char>(bytes[offset] ^ 0x10);
  replace(path, bytes);
}

inline outcome<void> put(store& s, std::string key, std::string value,
                         durability how = durability::async, keyspace space = keyspace::calls) {
  batch one;
  one.put(space, std::move(key), std::move(value));
  return s.write(one, how);
}

inline std::map<std::string, std::string> all_of(const store& s, keyspace space) {
  std::map<std::string, std::string> all;
  const auto scanned = s.scan(space, {}, {}, [&](std::string_view key, std::string_view value) {
    all.emplace(key, value);
    return true;
  });
  EXPECT_TRUE(scanned) << scanned.error().why.to_string();
  return all;
}

} // namespace jackfield::storage
