#include "tests/relay/path/options.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <arpa/inet.h>

namespace jackfield::tests {

namespace {

template <class T>
bool read_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, out);
  return code == std::errc{} && stop == end;
}

class option_reader {
public:
  /// Reads one option into the values; the error's place is its name.
  result<void> read(std::string_view name, std::string_view value) {
    name_ = name;
    value_ = value;
    auto& path = made.path;
    if (name == "--listen") {
      return address(made.listen, 0);
    }
    if (name == "--target") {
      return address(made.target, 1);
    }
    if (name == "--seed") {
      return read_number(value, path.seed) ? result<void>{} : wrong("a whole number");
    }
    if (name == "--loss") {
      return share(path.loss);
    }
    if (name == "--loss-from-ms") {
      return milliseconds(made.loss_from);
    }
    if (name == "--loss-for-ms") {
      return milliseconds(made.loss_for.emplace());
    }
    if (name == "--burst") {
      return number(path.burst.emplace(), 1, 10'000, "a mean run of losses from 1 to 10000");
    }
    if (name == "--delay-ms") {
      return milliseconds(path.delay);
    }
    if (name == "--jitter-ms") {
      return milliseconds(path.jitter);
    }
    if (name == "--duplicate") {
      return share(path.duplicate);
    }
    if (name == "--reorder") {
      return share(path.reorder);
    }
    if (name == "--mtu") {
      return read_number(value, path.mtu) && path.mtu >= 1 && path.mtu <= 65'535
               ? result<void>{}
               : wrong("bytes from 1 to 65535");
    }
    return fail(std::string(name), "no such option, see --help");
  }

  /// What only shows once all options are known.
  result<void> check() const {
    const auto& path = made.path;
    if (made.listen.length == 0) {
      return fail("--listen", "missing, expected an address like 127.0.0.1:5070");
    }
    if (made.target.length == 0) {
      return fail("--target", "missing, expected an address like 127.0.0.1:5060");
    }
    if (made.listen.family() != made.target.family()) {
      return fail("--target", "not of the same IP version as --listen");
    }
    if (path.jitter > path.delay) {
      return fail("--jitter-ms", "larger than --delay-ms, which it varies");
    }
    if (path.burst && path.loss < 1 && path.loss > impairment::max_loss(*path.burst)) {
      return fail("--burst", "runs this short cannot make up that --loss, expected longer ones");
    }
    return {};
  }

  relay_options made;

private:
  [[nodiscard]] result<void> wrong(std::string_view expected) const {
    return fail(std::string(name_),
                "\"" + std::string(value_) + "\" is not " + std::string(expected));
  }

  result<void> number(double& out, double least, double most, std::string_view expected) const {
    // A comparison with NaN is false, which refuses it.
    return read_number(value_, out) && out >= least && out <= most ? result<void>{}
                                                                   : wrong(expected);
  }

  result<void> share(double& out) const { return number(out, 0, 1, "a share from 0 to 1"); }

  result<void> milliseconds(std::chrono::nanoseconds& out) const {
    double ms = 0;
    auto got = number(ms, 0, 60'000, "milliseconds from 0 to 60000");
    out = std::chrono::nanoseconds(std::llround(ms * 1e6));
    return got;
  }

  result<void> address(socket_address& out, unsigned least_port) const {
    auto got = parse_address(name_, value_);
    if (!got) {
      return tl::unexpected(std::move(got.error()));
    }
    out = *got;
    const auto port = out.family() == AF_INET
                        ? reinterpret_cast<const sockaddr_in*>(&out.bytes)->sin_port
                        : reinterpret_cast<const sockaddr_in6*>(&out.bytes)->sin6_port;
    return ntohs(port) >= least_port ? result<void>{} : wrong("an address with a port above 0");
  }

  std::string_view name_;
  std::string_view value_;
};

} // namespace

std::string socket_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&bytes);
    inet_ntop(AF_INET, &ipv4->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(ipv4->sin_port));
  }
  const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&bytes);
  inet_ntop(AF_INET6, &ipv6->sin6_addr, text.data(), text.size());
  return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(ipv6->sin6_port));
}

result<socket_address> parse_address(std::string_view option, std::string_view text) {
  auto wrong = [&] {
    return fail(std::string(option), "\"" + std::string(text) +
                                       "\" is not an address like 127.0.0.1:5060 or [::1]:5060");
  };
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string_view::npos || !read_number(text.substr(colon + 1), port)) {
    return wrong();
  }
  std::string host(text.substr(0, colon));
  socket_address made;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&made.bytes);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    made.length = sizeof(sockaddr_in6);
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &ipv6->sin6_addr) == 1
             ? result<socket_address>(made)
             : wrong();
  }
  auto* ipv4 = reinterpret_cast<sockaddr_in*>(&made.bytes);
  ipv4->sin_family = AF_INET;
  ipv4->sin_port = htons(port);
  made.length = sizeof(sockaddr_in);
  return inet_pton(AF_INET, host.c_str(), &ipv4->sin_addr) == 1 ? result<socket_address>(made)
                                                                : wrong();
}

result<relay_options> parse_options(std::span<const char* const> arguments) {
  option_reader reader;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (name == "--help" || name == "-h") {
      reader.made.help = true;
      return reader.made;
    }
    std::string_view value;
    if (auto equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (auto got = reader.read(name, value); !got) {
      return tl::unexpected(std::move(got.error()));
    }
  }
  if (auto got = reader.check(); !got) {
    return tl::unexpected(std::move(got.error()));
  }
  return std::move(reader.made);
}

std::string_view usage() noexcept {
  return "jackfield_relay --listen ADDRESS:PORT --target ADDRESS:PORT [options]\n"
         "\n"
         "Passes UDP datagrams between clients and a target, badly. Each client address gets a\n"
         "source port of its own. SIGTERM or SIGINT ends it with one line of JSON on stdout.\n"
         "\n"
         "  --seed N          of all that is drawn, each direction on its own (1)\n"
         "  --loss SHARE      lost datagrams, 0 to 1 (0)\n"
         "  --loss-from-ms N  none is lost before, since the first datagram (0)\n"
         "  --loss-for-ms N   how long there is loss (for ever)\n"
         "  --burst N         mean run of losses (each is lost by itself)\n"
         "  --delay-ms N      mean delay of a direction (0)\n"
         "  --jitter-ms N     varies the delay, uniformly, by up to N either way (0)\n"
         "  --duplicate SHARE datagrams that arrive twice (0)\n"
         "  --reorder SHARE   datagrams that take 20 ms longer than others (0)\n"
         "  --mtu N           drops datagrams of more than N bytes of payload (65535)\n";
}

} // namespace jackfield::tests
