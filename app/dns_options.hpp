#pragma once

#include <string>
#include <vector>

#include "app/option_reader.hpp"
#include "engine/lane/endpoint.hpp"

namespace jackfield::app {

/// The texts of the options that say who knows the addresses of names.
struct dns_texts {
  std::vector<std::string> servers;
};

/// Declares them in a group of a command's help.
void declare_dns(CLI::App& app, dns_texts& texts, const char* group);
/// None: the system's servers are asked.
void read_dns(option_reader& reader, const dns_texts& texts, std::vector<lane::endpoint>& into);

} // namespace jackfield::app
