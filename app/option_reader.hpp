#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/audio/source.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/sdp/stream_transport.hpp"
#include "engine/transport/protocol.hpp"

namespace CLI {
class App;
}

namespace jackfield::app {

/// Reads the texts of options one after the other until one is wrong; the first fault is kept. An
/// empty text is an option that was not given.
class option_reader {
public:
  template <class T, class Read>
  void read(const std::string& text, T& into, Read&& f) {
    if (failure_ || text.empty())
      return;
    if (auto value = f(std::string_view{text}))
      into = std::move(*value);
    else
      failure_ = std::move(value.error());
  }

  template <class T>
  void number(const char* place, const std::string& text, T& into, T least, T most) {
    read(text, into, [&](std::string_view s) { return whole(place, s, least, most); });
  }

  /// Demands a condition.
  void check(bool ok, const char* place, std::string cause) {
    if (!failure_ && !ok)
      failure_ = error{place, std::move(cause)};
  }

  [[nodiscard]] const std::optional<error>& failure() const noexcept { return failure_; }

  /// A decimal number within bounds.
  template <class T>
  static result<T> whole(std::string_view place, std::string_view text, T least, T most) {
    T value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value < least || value > most)
      return fail(std::string{place}, "\"" + std::string{text} + "\" is no whole number from " +
                                        std::to_string(least) + " to " + std::to_string(most));
    return value;
  }

private:
  std::optional<error> failure_;
};

/// Fails on an option that was given an empty text, as by "--rate $UNSET": it would pass for one
/// that was not given.
result<void> demand_texts(const CLI::App& parsed);
/// Has each option take one text, also those that may be given again: what follows may be the URI.
/// Once all are declared.
void take_one_text_each(CLI::App& declared);
/// "80%", as 0.8.
result<double> read_share(std::string_view place, std::string_view text);
/// Whom to call, as typed, or SIPp's "host[:port]": a URI with a user, that of `service` if the
/// text has none.
result<std::string> read_callee(std::string_view text, const std::string& service);
/// "udp", and SIPp's "u1", "t1", "l1".
result<transport::protocol> read_transport(std::string_view place, std::string_view text);
/// A URI's transport parameter decides where no option does (`said`: one gave `given`); the two
/// must agree.
result<transport::protocol> transport_of(const char* place, const std::string& uri, bool said,
                                         transport::protocol given);
/// As options and reports have it: "udp".
[[nodiscard]] std::string option_name(transport::protocol p);
/// The same of `--media`, for streams that are protected so.
[[nodiscard]] std::string media_name(sdp::protection how);
/// "tone", "tone:440", "silence", or a file.
result<audio::source_spec> read_source(std::string_view place, std::string_view text);
/// A numeric address without port.
result<lane::endpoint> read_address(std::string_view place, std::string_view text);
/// "10000-65535", five digits each.
result<std::pair<uint16_t, uint16_t>> read_media_ports(std::string_view place,
                                                       std::string_view text);

} // namespace jackfield::app
