#include "app/option_reader.hpp"

#include <CLI/CLI.hpp>

#include "engine/sip/message_writer.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield::app {

void take_one_text_each(CLI::App& declared) {
  for (auto* option : declared.get_options([](const CLI::Option* each) {
         return each->get_expected_max() > 1 && !each->get_positional();
       }))
    option->allow_extra_args(false);
}

result<void> demand_texts(const CLI::App& parsed) {
  for (const auto* option : parsed.get_options())
    for (const auto& text : option->results())
      if (text.empty())
        return fail(option->get_name(), "is empty, expected a value or no such option");
  return {};
}

std::string media_name(sdp::protection how) {
  switch (how) {
  case sdp::protection::sdes:
    return "srtp";
  case sdp::protection::dtls:
    return "webrtc";
  case sdp::protection::none:
    break;
  }
  return "rtp";
}

std::string option_name(transport::protocol p) {
  std::string name{transport::to_string(p)};
  for (char& c : name)
    c = static_cast<char>(c | 0x20); // all are upper-case letters
  return name;
}

result<double> read_share(std::string_view place, std::string_view text) {
  double value = 0;
  const auto* const last = text.data() + text.size();
  if (const auto [end, code] = std::from_chars(text.data(), last, value);
      code == std::errc{} && end + 1 == last && *end == '%' && value >= 0 && value <= 100)
    return value / 100;
  return fail(std::string{place}, "\"" + std::string{text} + "\" is no share, expected 0% to 100%");
}

result<transport::protocol> read_transport(std::string_view place, std::string_view text) {
  // SIPp's names say how many sockets too; one for each lane is what we have.
  if (text == "u1" || text == "un" || text == "ui")
    return transport::protocol::udp;
  if (text == "t1" || text == "tn")
    return transport::protocol::tcp;
  if (text == "l1" || text == "ln")
    return transport::protocol::tls;
  if (const auto p = transport::parse_protocol(text))
    return *p;
  return fail(std::string{place},
              "\"" + std::string{text} + "\" is no transport, expected udp, tcp, tls, ws or wss");
}

result<transport::protocol> transport_of(const char* place, const std::string& uri, bool said,
                                         transport::protocol given) {
  const auto parsed = sip::uri::parse(uri);
  const auto name = parsed ? parsed->parameter("transport") : std::nullopt;
  if (!name && parsed && parsed->kind() == sip::scheme::sips && !transport::is_secure(given)) {
    if (said)
      return fail("--transport", "the URI is sips:, expected tls or wss");
    return transport::protocol::tls;
  }
  if (!name)
    return given;
  const auto named = transport::parse_protocol(*name);
  if (!named)
    return fail(place, "\"" + std::string{*name} +
                         "\" is no transport, expected ;transport=udp, tcp, tls, ws or wss");
  if (said && *named != given)
    return fail("--transport", "the URI says ;transport=" + std::string{*name} +
                                 ", expected the same or only one of them");
  return *named;
}

result<std::string> read_callee(std::string_view text, const std::string& service) {
  auto whole_uri = text.find(':') != std::string_view::npos && sip::uri::parse(text)
                     ? std::string{text}
                     : std::string{};
  if (const auto uri = sip::uri::parse(whole_uri); whole_uri.empty() || !uri->is_sip()) {
    whole_uri = "sip:" + std::string{text};
  }
  const auto uri = sip::uri::parse(whole_uri);
  if (!uri || !uri->is_sip() || !sip::is_safe_value(whole_uri)) {
    const bool bare_ipv6 = lane::endpoint::parse(text.substr(text.find('@') + 1), 0).has_value();
    return fail("URI", "\"" + std::string{text} +
                         "\" cannot be called, expected sip:user@host:port" +
                         (bare_ipv6 ? ", with an IPv6 address in brackets" : ""));
  }
  if (uri->user().empty())
    return std::string{uri->scheme_name()} + ":" + sip::escape_user(service) + "@" +
           std::string{uri->opaque()};
  return whole_uri;
}

result<audio::source_spec> read_source(std::string_view place, std::string_view text) {
  if (text == "silence")
    return audio::source_spec::silence();
  if (text == "tone")
    return audio::source_spec::tone();
  if (text.starts_with("tone:"))
    return option_reader::whole<uint16_t>(place, text.substr(5), 50, 3400).map([](uint16_t hz) {
      return audio::source_spec::tone(hz);
    });
  return audio::source_spec::file(std::string{text});
}

result<lane::endpoint> read_address(std::string_view place, std::string_view text) {
  if (auto e = lane::endpoint::parse(text, 0))
    return e;
  return fail(std::string{place},
              "\"" + std::string{text} + "\" is no address, expected 192.0.2.1 or 2001:db8::1");
}

result<std::pair<uint16_t, uint16_t>> read_media_ports(std::string_view place,
                                                       std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos)
    return fail(std::string{place}, "expected a range: 10000-65535");
  auto first = option_reader::whole<uint16_t>(place, text.substr(0, dash), 10'000, 65'534);
  if (!first)
    return tl::unexpected{std::move(first.error())};
  auto last = option_reader::whole<uint16_t>(place, text.substr(dash + 1), 10'001, 65'535);
  if (!last)
    return tl::unexpected{std::move(last.error())};
  if (*first >= *last)
    return fail(std::string{place}, "the range ends before it begins, expected 10000-65535");
  return std::pair{*first, *last};
}

} // namespace jackfield::app
