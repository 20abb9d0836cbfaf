#include <cstdio>
#include <span>
#include <string>

#include <signal.h>
#include <sys/resource.h>

#include "tests/relay/path/options.hpp"
#include "tests/relay/path/relay.hpp"

namespace {

jackfield::tests::relay* running = nullptr;

void on_signal(int) {
  running->stop();
}

int complain(const jackfield::error& why, int status) {
  std::fprintf(stderr, "%s\n", why.to_string().c_str());
  return status;
}

/// A flow is a descriptor, and the usual limit allows for a thousand.
void allow_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

} // namespace

/// Exit status: 0 after a signal, 1 if the run failed, 2 if an option was wrong.
int main(int count, char** arguments) {
  using namespace jackfield::tests;
  const std::span<const char* const> all(arguments, static_cast<std::size_t>(count));
  auto options = parse_options(all.subspan(all.empty() ? 0 : 1));
  if (!options) {
    return complain(options.error(), 2);
  }
  if (options->help) {
    std::fputs(std::string(usage()).c_str(), stdout);
    return 0;
  }
  allow_descriptors();
  auto made = relay::open(*options);
  if (!made) {
    return complain(made.error(), made.error().place.starts_with("--") ? 2 : 1);
  }
  running = made->get();
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::fprintf(stderr, "listening on %s\n", running->listening().to_string().c_str());
  auto ran = running->run();
  std::printf("%s\n", running->statistics().to_json().c_str());
  return ran ? 0 : complain(ran.error(), 1);
}
