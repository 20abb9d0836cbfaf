#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace jackfield::tests {

/// A folder of a test's own. It goes with the test, unless that failed: then it says where it is.
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view text) const;

private:
  std::filesystem::path path_;
};

/// A program that a test started, in a process group of its own and without an input. It ends with
/// this object and with the test's process, whatever becomes of the test; what it wrote is kept in
/// the test's folder and, if the test failed, shown.
class process {
public:
  /// `command[0]` is looked up in PATH. `name` is for files and messages. To be called from the
  /// test's main thread: the kernel ends the program with the thread that started it.
  process(std::string name, const scratch_folder& folder, const std::vector<std::string>& command);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Waits until the program has written `text`; false if it ended without.
  bool wait_for(std::string_view text);
  /// What is behind `text` up to the line's end, once the program has written that line; empty if
  /// it ended without.
  std::string wait_for_rest_of_line(std::string_view text);
  /// Waits for the program's end: its exit status, or 128 and the signal that ended it. All that it
  /// wrote has been read then.
  int wait();
  /// Has it ended? Waits for that at most as long as told.
  bool ended_within(int milliseconds);
  void signal(int number) const;
  /// Bytes of memory that it has now.
  [[nodiscard]] size_t resident() const;
  /// Ends it and all that it started, as the kernel does: nobody says goodbye.
  void kill_all() const;

  [[nodiscard]] std::string standard_output() const;
  [[nodiscard]] std::string standard_error() const;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
  struct stream {
    int fd = -1;
    std::string text;
  };

  void collect();
  bool read_from(stream& s);
  void save_and_show() const;

  std::string name_;
  const scratch_folder& folder_;
  pid_t id_ = -1;
  int id_fd_ = -1; ///< readable when the program has ended
  int status_ = -1;
  bool reaped_ = false;
  stream output_;
  stream error_;
  bool closed_ = false; ///< nothing more will be written
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::thread collector_;
};

} // namespace jackfield::tests
