#include "app/centre_recordings.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace jackfield::app {

namespace {

constexpr std::string_view ending = ".opus";
constexpr size_t longest_id = 64;
constexpr off_t most_bytes = off_t{256} << 20U;

/// What we call recordings: no name of these leads out of a directory.
bool is_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= longest_id && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

class open_file {
public:
  explicit open_file(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
  ~open_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  [[nodiscard]] std::optional<std::string> read_all() const {
    struct stat about {};
    if (fd_ < 0 || ::fstat(fd_, &about) != 0 || !S_ISREG(about.st_mode) ||
        about.st_size > most_bytes)
      return std::nullopt;
    std::string out(static_cast<size_t>(about.st_size), '\0');
    for (size_t got = 0; got < out.size();) {
      const auto count = ::read(fd_, out.data() + got, out.size() - got);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return std::nullopt;
      got += static_cast<size_t>(count);
    }
    return out;
  }

private:
  int fd_;
};

} // namespace

recordings_page recordings_in(const std::string& directory, const std::string& after,
                              size_t limit) {
  std::vector<std::string> ids;
  std::error_code failed;
  for (auto each = std::filesystem::directory_iterator{directory, failed};
       !failed && each != std::filesystem::directory_iterator{}; each.increment(failed)) {
    const auto& path = each->path();
    if (auto id = path.stem().string(); path.extension() == ending && is_id(id) && id > after)
      ids.push_back(std::move(id));
  }
  recordings_page out;
  out.more = ids.size() > limit;
  const auto count = std::min(ids.size(), limit);
  std::ranges::partial_sort(ids, ids.begin() + static_cast<std::ptrdiff_t>(count));
  for (size_t i = 0; i < count; ++i) {
    const auto size = std::filesystem::file_size(
      std::filesystem::path{directory} / (ids[i] + std::string{ending}), failed);
    out.files.push_back({std::move(ids[i]), failed ? 0 : size});
  }
  return out;
}

std::optional<std::string> read_recording(const std::string& directory, const std::string& id) {
  if (!is_id(id))
    return std::nullopt;
  return open_file{directory + '/' + id + std::string{ending}}.read_all();
}

void recording_losses::take(const std::string& line) {
  const auto event = nlohmann::json::parse(line, nullptr, false);
  if (!event.is_object())
    return;
  const auto id = event.find("recording");
  const auto count = event.find("packets_left_out");
  if (id == event.end() || !id->is_string() || count == event.end() || !count->is_number_unsigned())
    return; // of an earlier version
  const std::lock_guard lock{mutex_};
  if (!known_.insert_or_assign(id->get<std::string>(), count->get<uint64_t>()).second)
    return;
  order_.push_back(id->get<std::string>());
  if (order_.size() <= most)
    return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<uint64_t> recording_losses::of(const std::string& id) const {
  const std::lock_guard lock{mutex_};
  const auto found = known_.find(id);
  return found == known_.end() ? std::nullopt : std::optional{found->second};
}

std::string recording_json(const recording_file& file, std::optional<uint64_t> left_out) {
  nlohmann::ordered_json out;
  out["id"] = file.id;
  // 20261130T064959Z-17-0123abcd, unless somebody else put it there.
  const auto first = file.id.find('-');
  const auto second = file.id.find('-', first == std::string::npos ? first : first + 1);
  if (first == 16 && second != std::string::npos) {
    const auto& t = file.id;
    out["call"] = t.substr(first + 1, second - first - 1);
    out["began_at"] = t.substr(0, 4) + '-' + t.substr(4, 2) + '-' + t.substr(6, 5) + ':' +
                      t.substr(11, 2) + ':' + t.substr(13, 3);
  }
  out["bytes"] = file.bytes;
  out["packets_left_out"] = nullptr;
  if (left_out)
    out["packets_left_out"] = *left_out;
  return out.dump();
}

} // namespace jackfield::app
