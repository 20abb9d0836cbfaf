#include "app/interrupts.hpp"

#include <csignal>

#include <sys/resource.h>

namespace jackfield::app {

namespace {

volatile std::sig_atomic_t interrupt_count = 0;

volatile std::sig_atomic_t last_signal = 0;

volatile std::sig_atomic_t reload_count = 0;

void count_interrupt(int signal) {
  last_signal = signal;
  interrupt_count = interrupt_count + 1;
}

void count_reload(int /*signal*/) {
  reload_count = reload_count + 1;
}

} // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = count_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) // nohup
    sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void catch_reloads() {
  struct sigaction action {};
  action.sa_handler = count_reload;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &action, nullptr);
}

int reloads() noexcept {
  return reload_count;
}

int interrupts() noexcept {
  return interrupt_count;
}

std::string interrupted_by() {
  switch (last_signal) {
  case SIGTERM:
    return "SIGTERM";
  case SIGHUP:
    return "SIGHUP";
  default:
    return "SIGINT";
  }
}

void raise_file_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  // As root the hard limit may be raised too; a million is what the kernel allows by default.
  const rlimit wanted{1'048'576, 1'048'576};
  if (limit.rlim_max < wanted.rlim_max && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace jackfield::app
