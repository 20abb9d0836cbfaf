#include "app/machine_load.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>

#include <sys/resource.h>
#include <unistd.h>

namespace jackfield::app {

namespace {

struct closing {
  void operator()(std::FILE* f) const noexcept { std::fclose(f); }
};

std::unique_ptr<std::FILE, closing> opened(const char* path) {
  return std::unique_ptr<std::FILE, closing>{std::fopen(path, "re")};
}

rusage used() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  return r;
}

double cpu_seconds(const rusage& r) {
  return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

} // namespace

machine_load::machine_load()
    : cpu_seconds_(cpu_seconds(used())), cores_(read_cores()), waits_(read_waits()) {}

std::optional<machine_load::cores> machine_load::read_cores() {
  const auto file = opened("/proc/stat");
  std::array<unsigned long long, 8> t{}; // user nice system idle iowait irq softirq steal
  if (!file || std::fscanf(file.get(), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1],
                           &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
    return std::nullopt;
  cores c;
  for (const auto part : t)
    c.all += part;
  c.idle = t[3] + t[4];
  c.stolen = t[7];
  return c;
}

std::optional<machine_load::waits> machine_load::read_waits() {
  const auto file = opened("/proc/pressure/cpu");
  unsigned long long total = 0;
  if (!file ||
      std::fscanf(file.get(), "some avg10=%*f avg60=%*f avg300=%*f total=%llu", &total) != 1)
    return std::nullopt;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return waits{total, std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

void machine_load::show(report::generator_health& health) const {
  const auto now = used();
  health.cpu_seconds = cpu_seconds(now) - cpu_seconds_;
  health.rss_peak_kb = static_cast<uint64_t>(now.ru_maxrss);
  const auto now_cores = read_cores();
  const auto share = [](double part, double whole) { return std::clamp(part / whole, 0.0, 1.0); };
  const auto since = [](uint64_t at, uint64_t before) { // some counters of the kernel step back
    return static_cast<double>(at - std::min(at, before));
  };
  if (cores_ && now_cores && now_cores->all > cores_->all) {
    const auto all = since(now_cores->all, cores_->all);
    const auto idle = since(now_cores->idle, cores_->idle);
    const auto stolen = since(now_cores->stolen, cores_->stolen);
    const auto own = health.cpu_seconds * static_cast<double>(sysconf(_SC_CLK_TCK));
    health.cpu_own = share(own, all);
    health.cpu_stolen = share(stolen, all);
    health.cpu_others = share(all - idle - stolen - own, all);
  }
  const auto now_waits = read_waits();
  if (waits_ && now_waits && now_waits->at_us > waits_->at_us)
    health.cpu_pressure = share(since(now_waits->waited_us, waits_->waited_us),
                                static_cast<double>(now_waits->at_us - waits_->at_us));
}

} // namespace jackfield::app
