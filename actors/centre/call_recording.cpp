#include "actors/centre/call_recording.hpp"

#include <cerrno>
#include <span>

#include <fcntl.h>
#include <unistd.h>

namespace jackfield {

namespace {

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

} // namespace

recording_work::recording_work(const recording_settings& where, recorded_call what)
    : path_(where.directory + '/' + what.id + ".opus"), what_(std::move(what)),
      made_(what_.serial, what_.tags),
      fd_(::open((path_ + ".part").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 0600)) {
  if (fd_ < 0)
    fail_with("cannot be made");
}

recording_work::~recording_work() {
  if (fd_ >= 0) // an error within: the part stays
    ::close(fd_);
}

void recording_work::fail_with(const char* cause) {
  failure_ = fail_errno(path_ + ".part", cause, errno).value();
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

void recording_work::take(recording_batch& batch) {
  if (fd_ < 0)
    return;
  for (auto& each : batch.heard)
    made_.add(each.by, std::move(each.what));
  made_.pass_to(batch.now);
  write();
}

void recording_work::write() {
  const auto pages = made_.take_pages();
  if (!pages.empty() && !write_all(fd_, pages))
    fail_with("cannot be written");
}

recording_over recording_work::finish(const recording_end& how) {
  recording_over over;
  over.id = what_.id;
  over.length = how.length;
  over.left_out = how.left_out;
  if (fd_ >= 0) {
    made_.finish(how.length);
    write();
  }
  const auto part = path_ + ".part";
  if (fd_ >= 0) {
    if (::fdatasync(fd_) != 0)
      fail_with("cannot be written");
    else if (::close(std::exchange(fd_, -1)) != 0 || ::rename(part.c_str(), path_.c_str()) != 0)
      fail_with("cannot be given its name");
    else
      over.path = path_;
  }
  for (const auto leg : {recording::leg::caller, recording::leg::agent}) {
    const auto& counts = made_.counts(leg);
    over.left_out += counts.refused + counts.late;
  }
  over.failure = failure_;
  return over;
}

} // namespace jackfield
