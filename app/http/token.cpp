#include "app/http/token.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jackfield::http {

namespace {

constexpr size_t random_size = 32;
constexpr size_t shortest = 16;
constexpr size_t longest = 512;

/// Closes it.
class open_file {
public:
  explicit open_file(int fd) noexcept : fd_(fd) {}
  ~open_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }

private:
  int fd_;
};

/// Under another name first: whoever reads the file finds a whole token, whatever stops us.
result<void> make_token(const std::string& path) {
  std::array<unsigned char, random_size> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail_errno(path, "no random bytes for a token", errno);
  std::string text;
  for (const auto byte : bytes)
    text.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
  text += '\n';
  auto draft = path + ".XXXXXX";
  const open_file file{::mkostemp(draft.data(), O_CLOEXEC)}; // mode 0600
  if (file.fd() < 0)
    return fail_errno(path, "cannot be made", errno);
  const bool written =
    ::write(file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
    ::fsync(file.fd()) == 0;
  // Somebody else may have made it meanwhile: theirs stands.
  const bool placed = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const auto code = errno;
  ::unlink(draft.c_str());
  if (!placed)
    return fail_errno(path, "cannot be written", code);
  return {};
}

} // namespace

bool bears_token(std::string_view authorization, std::string_view token) noexcept {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() < scheme.size() || token.empty())
    return false;
  for (size_t i = 0; i < scheme.size(); ++i)
    if ((static_cast<unsigned char>(authorization[i]) | 0x20u) !=
        static_cast<unsigned char>(scheme[i]))
      return false;
  const auto said = authorization.substr(scheme.size());
  if (said.size() != token.size())
    return false;
  volatile unsigned char differs = 0;
  for (size_t i = 0; i < token.size(); ++i)
    differs = static_cast<unsigned char>(
      differs | (static_cast<unsigned char>(said[i]) ^ static_cast<unsigned char>(token[i])));
  return differs == 0;
}

result<std::string> read_token(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const open_file file{fd};
  struct stat about {};
  if (fd < 0 || ::fstat(fd, &about) != 0)
    return fail_errno(path, "cannot be read", errno);
  if (!S_ISREG(about.st_mode))
    return fail(path, "is no file, expected one with a token");
  if ((about.st_mode & 077u) != 0)
    return fail(path, "is open to others than its owner, expected mode 0600");
  std::array<char, longest + 2> some{};
  const auto got = ::read(fd, some.data(), some.size());
  if (got < 0)
    return fail_errno(path, "cannot be read", errno);
  auto text = std::string_view{some.data(), static_cast<size_t>(got)};
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  const bool sound = text.size() >= shortest && text.size() <= longest &&
                     std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!sound)
    return fail(path, "holds no token, expected 16 to 512 characters of ASCII without spaces");
  return std::string{text};
}

result<std::string> read_or_make_token(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
    if (auto made = make_token(path); !made)
      return tl::unexpected{std::move(made.error())};
  return read_token(path);
}

} // namespace jackfield::http
