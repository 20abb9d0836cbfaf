#include "actors/wire/trace_file.hpp"

#include <cerrno>
#include <utility>

namespace jackfield {

namespace {

/// What may wait for the disk.
constexpr size_t most_waiting = size_t{64} << 20U;

} // namespace

result<std::shared_ptr<trace_file>> trace_file::create(const std::string& path, uint64_t limit) {
  auto* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr)
    return fail_errno("--trace", "\"" + path + "\" cannot be written", errno);
  return std::shared_ptr<trace_file>{new trace_file{file, path, limit}};
}

trace_file::trace_file(std::FILE* file, std::string path, uint64_t limit)
    : file_(file), path_(std::move(path)), limit_(limit), writer_([this] { run(); }) {
  // nop
}

trace_file::~trace_file() {
  close();
}

void trace_file::write(std::string text) {
  {
    const std::lock_guard lock{mutex_};
    if (closing_ || !is_open())
      return;
    if (waiting_.size() + text.size() > most_waiting) {
      dropped_ += text.size();
      return;
    }
    if (dropped_ > 0)
      waiting_ += "=== " + std::to_string(std::exchange(dropped_, 0)) +
                  " bytes left out: the disk is too slow\n\n";
    if (taken_ + text.size() > limit_) {
      const auto line = text.find('\n', limit_ - taken_);
      text.resize(line == std::string::npos ? text.size() : line + 1);
      text +=
        "=== the trace ends here: its limit of " + std::to_string(limit_) + " bytes is reached\n";
      open_.store(false, std::memory_order_relaxed);
    }
    taken_ += text.size();
    waiting_ += text;
  }
  changed_.notify_one();
}

void trace_file::close() {
  {
    const std::lock_guard lock{mutex_};
    closing_ = true;
  }
  changed_.notify_one();
  if (writer_.joinable())
    writer_.join();
}

std::optional<error> trace_file::take_failure() {
  const std::lock_guard lock{mutex_};
  return std::exchange(failure_, std::nullopt);
}

void trace_file::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty())
      return;
    const auto text = std::exchange(waiting_, {});
    lock.unlock();
    const bool ok = std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size() &&
                    std::fflush(file_.get()) == 0;
    const auto why = errno;
    lock.lock();
    if (!ok) {
      failure_ = fail_errno("--trace", "\"" + path_ + "\" cannot be written", why).value();
      open_.store(false, std::memory_order_relaxed);
      waiting_.clear();
      return;
    }
  }
}

} // namespace jackfield
