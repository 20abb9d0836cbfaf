#include "tests/interop/process.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace jackfield::tests {

namespace {

/// No program of these tests takes nearly as long: one that does hangs, and what it wrote says more
/// than a test runner that gives up.
constexpr std::chrono::minutes hung_after{4};

/// What is shown of a program's output.
constexpr size_t shown_bytes = 6000;

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& folder,
                         int output, int error) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  const int none = open("/dev/null", O_RDONLY);
  dup2(none, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  // SIPp asks the terminal's name even where it has no terminal.
  setenv("TERM", "xterm", 1);
  setenv("LC_ALL", "C", 1);
  std::vector<char*> arguments;
  for (const auto& a : command)
    arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  if (chdir(folder.c_str()) == 0)
    execvp(arguments.front(), arguments.data());
  dprintf(STDERR_FILENO, "%s cannot be started\n", arguments.front());
  _exit(127);
}

std::string tail(const std::string& text) {
  return text.size() <= shown_bytes ? text : "...\n" + text.substr(text.size() - shown_bytes);
}

} // namespace

scratch_folder::scratch_folder() {
  auto name = (std::filesystem::temp_directory_path() / "jackfield-interop-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    ADD_FAILURE() << name << " cannot be made";
  path_ = name;
}

scratch_folder::~scratch_folder() {
  if (testing::Test::HasFailure()) {
    std::fprintf(stderr, "kept for a look: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string scratch_folder::write(std::string_view name, std::string_view text) const {
  auto path = file(name);
  std::ofstream{path, std::ios::binary} << text;
  return path;
}

process::process(std::string name, const scratch_folder& folder,
                 const std::vector<std::string>& command)
    : name_(std::move(name)), folder_(folder) {
  std::array<int, 2> output{};
  std::array<int, 2> error{};
  if (pipe2(output.data(), O_CLOEXEC) != 0 || pipe2(error.data(), O_CLOEXEC) != 0) {
    ADD_FAILURE() << "no pipes for " << name_;
    closed_ = reaped_ = true;
    return;
  }
  id_ = fork();
  if (id_ < 0) {
    ADD_FAILURE() << "no process for " << name_;
    closed_ = reaped_ = true;
    return;
  }
  if (id_ == 0)
    become(command, folder.path().string(), output[1], error[1]);
  setpgid(id_, id_); // as the child does: whoever comes first
  close(output[1]);
  close(error[1]);
  id_fd_ = static_cast<int>(syscall(SYS_pidfd_open, id_, 0));
  output_.fd = output[0];
  error_.fd = error[0];
  collector_ = std::thread{[this] { collect(); }};
}

process::~process() {
  if (!reaped_) {
    // The group: Kamailio is many processes.
    kill(-id_, SIGTERM);
    if (!ended_within(5000))
      kill(-id_, SIGKILL);
    wait();
  }
  if (id_ > 0)
    kill(-id_, SIGKILL); // what it left behind still holds our pipes
  if (collector_.joinable())
    collector_.join();
  if (id_fd_ >= 0)
    close(id_fd_);
  save_and_show();
}

void process::collect() {
  for (;;) {
    std::array<pollfd, 2> waiting{pollfd{output_.fd, POLLIN, 0}, pollfd{error_.fd, POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR)
      continue;
    bool open = false;
    for (const auto& [s, ready] :
         {std::pair{&output_, waiting[0].revents}, std::pair{&error_, waiting[1].revents}})
      open = (s->fd >= 0 && (ready == 0 || read_from(*s))) || open;
    const std::lock_guard lock{mutex_};
    closed_ = !open;
    changed_.notify_all();
    if (closed_)
      return;
  }
}

bool process::read_from(stream& s) {
  std::array<char, 65'536> bytes{};
  const auto got = read(s.fd, bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR)
    return true;
  if (got <= 0) {
    close(s.fd);
    s.fd = -1;
    return false;
  }
  const std::lock_guard lock{mutex_};
  s.text.append(bytes.data(), static_cast<size_t>(got));
  return true;
}

bool process::wait_for(std::string_view text) {
  std::unique_lock lock{mutex_};
  const auto written = [&] {
    return output_.text.find(text) != std::string::npos ||
           error_.text.find(text) != std::string::npos;
  };
  const bool in_time = changed_.wait_for(lock, hung_after, [&] { return closed_ || written(); });
  EXPECT_TRUE(in_time) << name_ << " hangs";
  return written();
}

std::string process::wait_for_rest_of_line(std::string_view text) {
  std::unique_lock lock{mutex_};
  std::string rest;
  const auto written = [&] {
    for (const auto* s : {&output_.text, &error_.text}) {
      const auto at = s->find(text);
      const auto end = at == std::string::npos ? at : s->find('\n', at);
      if (end == std::string::npos)
        continue;
      rest = s->substr(at + text.size(), end - at - text.size());
      return true;
    }
    return false;
  };
  const bool in_time = changed_.wait_for(lock, hung_after, [&] { return written() || closed_; });
  EXPECT_TRUE(in_time) << name_ << " hangs";
  return rest;
}

int process::wait() {
  if (!reaped_) {
    if (!ended_within(static_cast<int>(std::chrono::milliseconds{hung_after}.count()))) {
      ADD_FAILURE() << name_ << " hangs";
      kill(-id_, SIGKILL);
    }
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR)
      continue;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    reaped_ = true;
    // What it wrote last is on its way still.
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{5}, [&] { return closed_; });
  }
  return status_;
}

bool process::ended_within(int milliseconds) {
  if (reaped_)
    return true;
  pollfd waiting{id_fd_, POLLIN, 0};
  int ready = 0;
  do
    ready = poll(&waiting, 1, milliseconds);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

size_t process::resident() const {
  std::ifstream status{"/proc/" + std::to_string(id_) + "/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoul(line.substr(6)) * 1024;
  return 0;
}

void process::signal(int number) const {
  if (!reaped_)
    kill(id_, number);
}

void process::kill_all() const {
  if (!reaped_)
    kill(-id_, SIGKILL);
}

std::string process::standard_output() const {
  const std::lock_guard lock{mutex_};
  return output_.text;
}

std::string process::standard_error() const {
  const std::lock_guard lock{mutex_};
  return error_.text;
}

void process::save_and_show() const {
  if (!testing::Test::HasFailure())
    return;
  folder_.write(name_ + ".out", output_.text);
  folder_.write(name_ + ".err", error_.text);
  std::fprintf(stderr,
               "== %s ended with %d\n-- its standard output\n%s\n-- its standard error\n%s\n",
               name_.c_str(), status_, tail(output_.text).c_str(), tail(error_.text).c_str());
}

} // namespace jackfield::tests
