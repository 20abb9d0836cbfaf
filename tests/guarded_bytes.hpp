#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace jackfield::tests {

/// A copy of some bytes that touches an inaccessible page at its end, or at its start, so that a
/// reader that strays by one byte crashes the test instead of passing it.
class guarded_bytes {
public:
  enum class guard { behind, before };

  explicit guarded_bytes(std::string_view bytes, guard where = guard::behind)
      : size_(bytes.size()) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    // One page at least, so that no bytes at all still have an address beside the guard.
    const std::size_t usable = std::max(page, (size_ + page - 1) / page * page);
    mapped_ = usable + page;
    base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) {
      throw std::runtime_error("cannot map a guarded buffer");
    }
    char* start = static_cast<char*>(base_);
    char* inaccessible = where == guard::behind ? start + usable : start;
    data_ = where == guard::behind ? inaccessible - size_ : start + page;
    std::copy(bytes.begin(), bytes.end(), data_);
    if (mprotect(inaccessible, page, PROT_NONE) != 0) {
      munmap(base_, mapped_);
      throw std::runtime_error("cannot protect a guard page");
    }
  }

  ~guarded_bytes() { munmap(base_, mapped_); }

  guarded_bytes(const guarded_bytes&) = delete;
  guarded_bytes& operator=(const guarded_bytes&) = delete;

  [[nodiscard]] std::string_view view() const { return {data_, size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span<const char>(data_, size_));
  }
  [[nodiscard]] std::span<char> writable() { return {data_, size_}; }

private:
  std::size_t size_;
  std::size_t mapped_ = 0;
  void* base_ = nullptr;
  char* data_ = nullptr;
};

} // namespace jackfield::tests
