#include "tests/sip/samples.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace jackfield::tests {

namespace fs = std::filesystem;

namespace {

fs::path data_folder() {
  const fs::path here = __FILE__;
  auto root = fs::absolute(here).parent_path().parent_path().parent_path();
  return root.parent_path() / "shared/data/sip";
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// By the names of the columns, which differ from table to table.
using row = std::map<std::string, std::string>;

std::map<std::string, row> read_table(const fs::path& path) {
  std::ifstream file(path);
  auto columns = [](const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, '\t');)
      cells.push_back(cell);
    return cells;
  };
  std::string line;
  std::getline(file, line);
  auto heads = columns(line);
  std::map<std::string, row> table;
  while (std::getline(file, line)) {
    auto cells = columns(line);
    row made;
    for (size_t i = 0; i < std::min(heads.size(), cells.size()); ++i)
      made[heads[i]] = cells[i];
    table[made["file"]] = made;
  }
  return table;
}

} // namespace

std::vector<sip_sample> sip_samples(std::string_view folder) {
  auto root = data_folder() / folder;
  auto table = read_table(root / "VERDICTS.tsv");
  std::vector<sip_sample> made;
  std::error_code absent;
  for (const auto& entry : fs::recursive_directory_iterator(root, absent)) {
    const auto& path = entry.path();
    if (path.extension() != ".dat" && path.extension() != ".sip")
      continue;
    auto& facts = table[path.filename().string()];
    made.push_back(
      {path.lexically_relative(root).string(), read(path), facts["verdict"], facts["expected"]});
  }
  std::sort(made.begin(), made.end(), [](auto& a, auto& b) { return a.name < b.name; });
  return made;
}

size_t sip_samples_known(std::string_view folder) {
  static const std::map<std::string_view, size_t> sizes = {
    {"rfc4475", 50}, {"rfc5118", 12}, {"rfc-callflows", 254}, {"advisory-regressions", 16}};
  return sizes.at(folder);
}

std::vector<sip_sample> sip_samples_or_absent(std::string_view folder) {
  auto made = sip_samples(folder);
  if (made.empty())
    made.push_back({.name = "absent_" + std::string(folder),
                    .text = "no ../shared/data/sip/" + std::string(folder) + ": none of its " +
                            std::to_string(sip_samples_known(folder)) + " messages is read",
                    .verdict = {},
                    .expected = {},
                    .absent = true});
  return made;
}

std::string sample_name::operator()(const testing::TestParamInfo<sip_sample>& sample) const {
  std::string name = sample.param.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0)
      c = '_';
  return name;
}

const std::string invite =
  "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
  "Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\r\n"
  "Max-Forwards: 70\r\n"
  "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
  "To: Bob <sip:bob@biloxi.example.com>\r\n"
  "Call-ID: 3848276298220188511@atlanta.example.com\r\n"
  "CSeq: 1 INVITE\r\n"
  "Contact: <sip:alice@client.atlanta.example.com;transport=udp>\r\n"
  "Content-Type: application/sdp\r\n"
  "Content-Length: 151\r\n"
  "\r\n"
  "v=0\r\n"
  "o=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\n"
  "s=-\r\n"
  "c=IN IP4 192.0.2.101\r\n"
  "t=0 0\r\n"
  "m=audio 49172 RTP/AVP 0\r\n"
  "a=rtpmap:0 PCMU/8000\r\n";

const std::string ok = "SIP/2.0 200 OK\r\n"
                       "v: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\r\n"
                       " ;received=192.0.2.101;rport=5060\r\n"
                       "RECORD-ROUTE : <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\n"
                       "f: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
                       "t: Bob <sip:bob@biloxi.example.com>;tag=8321234356\r\n"
                       "i: 3848276298220188511@atlanta.example.com\r\n"
                       "CSeq: 1 INVITE\r\n"
                       "m: <sip:bob@client.biloxi.example.com>;q=0.7;expires=60\r\n"
                       "X-Trace: a, \"b, c\"\r\n"
                       "l: 0\r\n"
                       "\r\n";

std::string with(std::string text, std::string_view from, std::string_view to) {
  auto at = text.find(from);
  if (at == std::string::npos)
    throw std::invalid_argument("not in the text: " + std::string(from));
  return text.replace(at, from.size(), to);
}

} // namespace jackfield::tests
