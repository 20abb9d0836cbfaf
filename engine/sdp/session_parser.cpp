#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/sdp/session.hpp"

namespace jackfield::sdp {

namespace {

/// Reads all of `text` as a decimal number of T; false on anything else, overflow included.
template <class T>
bool read_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, out);
  return code == std::errc{} && stop == end && !text.empty();
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Takes the text before the next run of spaces off the front of `rest`; empty at the end. Plain
/// loops: most tokens are too short for a search routine to pay off.
std::string_view next_token(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && rest[begin] == ' ') {
    ++begin;
  }
  std::size_t end = begin;
  while (end < rest.size() && rest[end] != ' ') {
    ++end;
  }
  std::string_view token = rest.substr(begin, end - begin);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return token;
}

std::string_view without_leading_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

/// Reads "network family host[/suffix]" and nothing behind it.
bool read_connection(std::string_view text, connection& out) {
  std::string_view network = next_token(text);
  std::string_view family = next_token(text);
  std::string_view host = next_token(text);
  if (host.empty() || !without_leading_spaces(text).empty()) {
    return false;
  }
  std::size_t slash = host.find('/');
  if (slash == 0) {
    return false;
  }
  if (slash != std::string_view::npos) {
    out.suffix = host.substr(slash);
    host = host.substr(0, slash);
  }
  out.network = network;
  out.family = family;
  out.host = host;
  return true;
}

/// What an a= line says if it is one of the types we know and in their form; nothing otherwise,
/// and the line is kept as it came.
class attribute_reader {
public:
  attribute_reader(std::string_view value, bool rtp) : value_(value), rtp_(rtp) {}

  enum class outcome { typed, raw, bad_payload_type };

  outcome read(std::string_view name, bool flag, attribute& out) {
    if (flag) {
      for (auto way :
           {direction::sendrecv, direction::sendonly, direction::recvonly, direction::inactive}) {
        if (name == to_string(way)) {
          out = way;
          return outcome::typed;
        }
      }
      if (name == "rtcp-mux") {
        out = rtcp_mux{};
        return outcome::typed;
      }
      return outcome::raw;
    }
    switch (name.empty() ? '\0' : name.front()) {
    case 'r':
      return name == "rtpmap" ? read_rtpmap(out) : name == "rtcp" ? read_rtcp(out) : outcome::raw;
    case 'f':
      return name == "fmtp"          ? read_fmtp(out)
             : name == "fingerprint" ? read_fingerprint(out)
                                     : outcome::raw;
    case 'p':
      return name == "ptime" ? read_ptime<ptime>(out) : outcome::raw;
    case 'm':
      return name == "maxptime" ? read_ptime<maxptime>(out)
             : name == "mid"    ? read_mid(out)
                                : outcome::raw;
    case 's':
      return name == "ssrc" ? read_ssrc(out) : name == "setup" ? read_setup(out) : outcome::raw;
    case 'g':
      return name == "group" ? read_group(out) : outcome::raw;
    default:
      return outcome::raw;
    }
  }

private:
  /// Takes the payload type off the front. A number that no payload type can have is an error
  /// where formats are payload types, and none of ours elsewhere.
  outcome read_payload_type(std::uint8_t& out) {
    std::string_view token = next_token(value_);
    if (!all_digits(token)) {
      return outcome::raw;
    }
    unsigned number = 0;
    if (!read_number(token, number) || number > max_payload_type) {
      return rtp_ ? outcome::bad_payload_type : outcome::raw;
    }
    out = static_cast<std::uint8_t>(number);
    return outcome::typed;
  }

  outcome read_rtpmap(attribute& out) {
    rtpmap made;
    if (auto got = read_payload_type(made.payload_type); got != outcome::typed) {
      return got;
    }
    std::string_view encoding = next_token(value_);
    if (!without_leading_spaces(value_).empty()) {
      return outcome::raw;
    }
    std::size_t slash = encoding.find('/');
    if (slash == 0 || slash == std::string_view::npos) {
      return outcome::raw;
    }
    std::string_view clock = encoding.substr(slash + 1);
    if (std::size_t second = clock.find('/'); second != std::string_view::npos) {
      if (!read_number(clock.substr(second + 1), made.channels) || made.channels == 0) {
        return outcome::raw;
      }
      clock = clock.substr(0, second);
    }
    if (!read_number(clock, made.clock_rate) || made.clock_rate == 0) {
      return outcome::raw;
    }
    made.encoding = encoding.substr(0, slash);
    out = std::move(made);
    return outcome::typed;
  }

  outcome read_fmtp(attribute& out) {
    fmtp made;
    if (auto got = read_payload_type(made.payload_type); got != outcome::typed) {
      return got;
    }
    std::string_view parameters = without_leading_spaces(value_);
    if (parameters.empty()) {
      return outcome::raw;
    }
    made.parameters = parameters;
    out = std::move(made);
    return outcome::typed;
  }

  /// Both are decimal fractions in use (AES67 says 0.125); what is behind the point is below what
  /// the engine can do.
  template <class T>
  outcome read_ptime(attribute& out) {
    std::string_view whole = value_.substr(0, value_.find('.'));
    if (!all_digits(whole) ||
        (whole.size() < value_.size() && !all_digits(value_.substr(whole.size() + 1)))) {
      return outcome::raw;
    }
    unsigned ms = 0;
    if (!read_number(whole, ms)) {
      ms = max_ptime_ms; // more digits than a number can hold
    }
    out = T{static_cast<std::uint8_t>(std::clamp(ms, min_ptime_ms, max_ptime_ms))};
    return outcome::typed;
  }

  outcome read_rtcp(attribute& out) {
    rtcp made;
    if (!read_number(next_token(value_), made.port)) {
      return outcome::raw;
    }
    if (!without_leading_spaces(value_).empty() &&
        !read_connection(value_, made.address.emplace())) {
      return outcome::raw;
    }
    out = std::move(made);
    return outcome::typed;
  }

  outcome read_ssrc(attribute& out) {
    ssrc made;
    if (!read_number(next_token(value_), made.id)) {
      return outcome::raw;
    }
    std::string_view rest = without_leading_spaces(value_);
    if (rest.empty()) {
      return outcome::raw;
    }
    made.attribute = rest;
    out = std::move(made);
    return outcome::typed;
  }

  outcome read_mid(attribute& out) {
    std::string_view tag = next_token(value_);
    if (tag.empty() || !without_leading_spaces(value_).empty()) {
      return outcome::raw;
    }
    out = mid{std::string(tag)};
    return outcome::typed;
  }

  outcome read_group(attribute& out) {
    group made;
    made.semantics = next_token(value_);
    if (made.semantics.empty()) {
      return outcome::raw;
    }
    for (auto tag = next_token(value_); !tag.empty(); tag = next_token(value_)) {
      made.mids.emplace_back(tag);
    }
    out = std::move(made);
    return outcome::typed;
  }

  outcome read_fingerprint(attribute& out) {
    std::string_view hash = next_token(value_);
    std::string_view digest = next_token(value_);
    if (digest.empty() || !without_leading_spaces(value_).empty()) {
      return outcome::raw;
    }
    out = fingerprint{std::string(hash), std::string(digest)};
    return outcome::typed;
  }

  outcome read_setup(attribute& out) {
    for (auto role : {setup::active, setup::passive, setup::actpass, setup::holdconn}) {
      if (value_ == to_string(role)) {
        out = role;
        return outcome::typed;
      }
    }
    return outcome::raw;
  }

  std::string_view value_;
  bool rtp_;
};

class parser {
public:
  explicit parser(std::string_view text)
      : text_(text), has_nul_(text.find('\0') != std::string_view::npos) {}

  result<session> run() {
    if (text_.size() > max_bytes) {
      return fail("sdp", "larger than " + std::to_string(max_bytes) + " bytes");
    }
    while (!text_.empty()) {
      if (!read_line()) {
        return fail("sdp line " + std::to_string(line_), std::move(cause_));
      }
    }
    if (line_ == 0) {
      return fail("sdp", "empty, expected \"v=0\"");
    }
    if (!has_origin_) {
      return fail("sdp", "no o= line");
    }
    finish();
    return std::move(made_);
  }

private:
  bool refuse(std::string cause) {
    cause_ = std::move(cause);
    return false;
  }

  bool read_line() {
    ++line_;
    if (line_ > max_lines) {
      return refuse("more than " + std::to_string(max_lines) + " lines");
    }
    std::size_t end = text_.find('\n');
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      return skip_blank_tail();
    }
    // What is kept as it came must not be able to end a line when it is printed.
    if (line.find('\r') != std::string_view::npos) {
      return refuse("a CR without LF");
    }
    if (has_nul_ && line.find('\0') != std::string_view::npos) {
      return refuse("a NUL byte");
    }
    if (line.size() < 2 || line[1] != '=') {
      return refuse("not of the form type=value");
    }
    return dispatch(line.front(), line.substr(2));
  }

  /// Blank lines behind the last line are common and harmless; elsewhere they hide a broken body.
  bool skip_blank_tail() {
    if (text_.find_first_not_of("\r\n") != std::string_view::npos) {
      return refuse("an empty line within the description");
    }
    if (line_ == 1) {
      return refuse("empty, expected \"v=0\"");
    }
    text_ = {};
    return true;
  }

  bool dispatch(char type, std::string_view value) {
    if (line_ == 1) {
      return (type == 'v' && value == "0") || refuse("expected \"v=0\"");
    }
    if (type == 'm') {
      return read_media(value);
    }
    if (type == 'a') {
      return read_attribute(value);
    }
    if (type == 'c') {
      return read_address(value);
    }
    if (type == 'b') {
      return read_bandwidth(value);
    }
    if (media_ == nullptr) {
      switch (type) {
      case 'v':
        return refuse("a second v= line");
      case 'o':
        return read_origin(value);
      case 's':
        return read_name(value);
      case 't':
        return read_timing(value);
      case 'r':
      case 'z':
        if (made_.times.empty()) {
          return refuse("r= or z= before t=");
        }
        made_.times.back().repeats.push_back({type, std::string(value)});
        return true;
      default:
        break;
      }
    }
    if (type < 'a' || type > 'z') {
      return refuse("a line's type is one small letter");
    }
    lines().push_back({type, std::string(value)});
    return true;
  }

  std::vector<raw_line>& lines() { return media_ == nullptr ? made_.lines : media_->lines; }

  attribute_list& attributes() { return media_ == nullptr ? made_.attributes : media_->attributes; }

  bool read_origin(std::string_view value) {
    if (has_origin_) {
      return refuse("a second o= line");
    }
    // From the right: some user names hold spaces, though they must not.
    std::array<std::string_view, 5> fields;
    for (std::size_t i = fields.size(); i-- > 0;) {
      std::size_t space = value.rfind(' ');
      if (space == std::string_view::npos) {
        return refuse("o= needs a user name, two numbers, network, family and address");
      }
      fields[i] = value.substr(space + 1);
      value = value.substr(0, space);
    }
    auto& from = made_.from;
    if (value.empty() || fields[2].empty() || fields[3].empty() || fields[4].empty()) {
      return refuse("o= has an empty field");
    }
    if (!read_number(fields[0], from.session_id)) {
      return refuse("the session id in o= is not a number of 64 bits");
    }
    if (!read_number(fields[1], from.version)) {
      return refuse("the version in o= is not a number of 64 bits");
    }
    from.username = value;
    from.address.network = fields[2];
    from.address.family = fields[3];
    from.address.host = fields[4];
    has_origin_ = true;
    return true;
  }

  bool read_name(std::string_view value) {
    if (has_name_) {
      return refuse("a second s= line");
    }
    has_name_ = true;
    made_.name = value;
    return true;
  }

  bool read_timing(std::string_view value) {
    timing made;
    if (!read_number(next_token(value), made.start) || !read_number(next_token(value), made.stop) ||
        !without_leading_spaces(value).empty()) {
      return refuse("t= needs two numbers");
    }
    made_.times.push_back(std::move(made));
    return true;
  }

  bool read_address(std::string_view value) {
    if (media_ == nullptr && made_.address) {
      return refuse("a second c= line before the first m=");
    }
    connection& made =
      media_ == nullptr ? made_.address.emplace() : media_->connections.emplace_back();
    return read_connection(value, made) || refuse("c= needs network, family and address");
  }

  bool read_bandwidth(std::string_view value) {
    bandwidth made;
    std::size_t colon = value.find(':');
    if (colon == 0 || colon == std::string_view::npos ||
        !read_number(value.substr(colon + 1), made.value)) {
      return refuse("b= needs type:number");
    }
    made.type = value.substr(0, colon);
    (media_ == nullptr ? made_.bandwidths : media_->bandwidths).push_back(std::move(made));
    return true;
  }

  bool read_attribute(std::string_view line) {
    std::size_t colon = 0;
    while (colon < line.size() && line[colon] != ':') {
      ++colon;
    }
    bool flag = colon == line.size();
    std::string_view name = line.substr(0, colon);
    std::string_view value = flag ? std::string_view{} : line.substr(colon + 1);
    if (name.empty()) {
      return refuse("an attribute without a name");
    }
    auto& list = attributes();
    if (list.empty()) {
      list.reserve(8);
    }
    attribute_reader reader(value, media_is_rtp_);
    switch (reader.read(name, flag, list.emplace_back())) {
    case attribute_reader::outcome::typed:
      return true;
    case attribute_reader::outcome::bad_payload_type:
      return refuse("a payload type is a number from 0 to 127");
    case attribute_reader::outcome::raw:
      break;
    }
    if (name == "candidate" && ++candidates_ > max_candidates) {
      return refuse("more than " + std::to_string(max_candidates) + " candidates for one m-line");
    }
    raw_attribute raw{std::string(name), std::nullopt};
    if (!flag) {
      raw.value.emplace(value);
    }
    list.back() = std::move(raw);
    return true;
  }

  bool read_media(std::string_view value) {
    if (made_.media.size() == max_media) {
      return refuse("more than " + std::to_string(max_media) + " m-lines");
    }
    media_ = &made_.media.emplace_back();
    candidates_ = 0;
    std::string_view type = next_token(value);
    std::string_view port = next_token(value);
    std::string_view profile = next_token(value);
    if (profile.empty()) {
      return refuse("m= needs media, port, profile and formats");
    }
    if (std::size_t slash = port.find('/'); slash != std::string_view::npos) {
      if (!read_number(port.substr(slash + 1), media_->port_count) || media_->port_count == 0) {
        return refuse("the number of ports in m= is not from 1 to 65535");
      }
      port = port.substr(0, slash);
    }
    if (!read_number(port, media_->port)) {
      return refuse("the port in m= is not from 0 to 65535");
    }
    media_->type = type;
    media_->profile = profile;
    media_is_rtp_ = is_rtp(profile);
    return read_formats(value);
  }

  bool read_formats(std::string_view value) {
    auto& formats = media_->formats;
    for (auto format = next_token(value); !format.empty(); format = next_token(value)) {
      if (formats.size() == max_formats) {
        return refuse("more than " + std::to_string(max_formats) + " formats in m=");
      }
      if (formats.empty()) {
        formats.reserve(4);
      }
      if (!media_is_rtp_) {
        formats.emplace_back(format);
        continue;
      }
      unsigned number = 0;
      if (!all_digits(format) || !read_number(format, number) || number > max_payload_type) {
        return refuse("a payload type is a number from 0 to 127");
      }
      formats.push_back(std::to_string(number));
    }
    // A refused stream's formats say nothing, and some leave them out.
    return !formats.empty() || media_->port == 0 || refuse("m= without formats");
  }

  /// Brings what may come in any order into the order in which it is printed, so that a
  /// description equals the one that its own text parses into.
  void finish() {
    if (made_.times.empty()) {
      made_.times.emplace_back();
    }
    std::stable_partition(made_.lines.begin(), made_.lines.end(), [](const raw_line& line) {
      return std::string_view("iuep").find(line.type) != std::string_view::npos;
    });
    for (auto& media : made_.media) {
      std::stable_partition(media.lines.begin(), media.lines.end(),
                            [](const raw_line& line) { return line.type == 'i'; });
    }
  }

  std::string_view text_; ///< what is left of it
  bool has_nul_;          ///< anywhere in it
  std::string cause_;
  session made_;
  media_description* media_ = nullptr; ///< the one being read; null before the first m-line
  std::size_t line_ = 0;
  std::size_t candidates_ = 0;
  bool media_is_rtp_ = false;
  bool has_origin_ = false;
  bool has_name_ = false;
};

} // namespace

result<session> parse(std::string_view text) {
  return parser(text).run();
}

} // namespace jackfield::sdp
