#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "actors/wire/trace_outlet.hpp"
#include "engine/error/error.hpp"

namespace jackfield {

/// A trace in a file: lanes hand over their text, a thread of its own writes it. What the disk is
/// too slow for is dropped, and the trace says how much. Ends at its limit, or when writing fails.
class trace_file final : public trace_outlet {
public:
  /// Makes the file, or empties it. `limit` in bytes; the last line may go beyond.
  static result<std::shared_ptr<trace_file>> create(const std::string& path, uint64_t limit);
  /// Writes what is still to be written.
  ~trace_file() override;
  trace_file(const trace_file&) = delete;
  trace_file& operator=(const trace_file&) = delete;

  void write(std::string text) override;
  [[nodiscard]] bool is_open() const noexcept override {
    return open_.load(std::memory_order_relaxed);
  }

  /// Writes what is still to be written; nothing is taken any more.
  void close();
  /// Why writing failed, told once; nothing if it has not.
  [[nodiscard]] std::optional<error> take_failure();

private:
  trace_file(std::FILE* file, std::string path, uint64_t limit);
  void run();

  struct close_file {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };

  std::unique_ptr<std::FILE, close_file> file_; // the thread's
  const std::string path_;
  const uint64_t limit_;
  std::atomic<bool> open_ = true;
  std::mutex mutex_; // of what follows
  std::condition_variable changed_;
  std::string waiting_;
  uint64_t taken_ = 0; // bytes in all
  uint64_t dropped_ = 0;
  bool closing_ = false;
  std::optional<error> failure_;
  std::thread writer_; // last: it uses all the others
};

} // namespace jackfield
