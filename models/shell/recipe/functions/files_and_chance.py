"""Files read and written; random numbers and passwords."""

import json
import os
import random


# reads a file and returns its text | opens a text file and reads it | returns the whole content of a text file as one string | takes a path and gives back everything written in that file | loads a text file into a single string | gets the complete contents of a file | opens the file at a given path and returns all its text
def read_file(path):
    with open(path) as file:
        return file.read()


# returns the lines of a file as a list | reads a file line by line | takes a path and gives back a list with each line of the file | loads a text file into a list of lines | returns the lines of a text file without their newline characters | opens a file and collects its lines in a list | splits the content of a file into separate lines
def read_lines(path):
    with open(path) as file:
        return [line.rstrip("\n") for line in file]


# writes a text to a file | saves a string in a file | takes a path and a text and stores the text there | creates a file with the given content | puts a string into a text file, overwriting what was there | opens a file for writing and writes a text into it | stores some text on disk under a given path
def write_file(path, text):
    with open(path, "w") as file:
        file.write(text)


# counts the lines of a file | returns the number of lines in a file | tells how many lines a text file has | takes a path and gives back the line count of that file | opens a file and counts its rows of text | finds out how many lines long a file is | determines the total number of lines in a given text file
def count_lines(path):
    with open(path) as file:
        return sum(1 for _ in file)


# reads a JSON file | loads data from a JSON file | opens a JSON file and returns the parsed data | takes a path and returns the contents of that JSON file as Python objects | parses a file that is in JSON format | gets a dictionary or list out of a .json file | imports the data stored as JSON in a file
def read_json(path):
    with open(path) as file:
        return json.load(file)


# lists the files of a folder | returns the names of all files in a directory | takes a folder and gives back the names of the files in it | collects all file names in a directory, leaving out subfolders | finds which files are directly inside a given folder | tells what files a directory contains as a list of names | returns everything in a folder that is a file and not a directory
def list_files(folder):
    return [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))]


# returns a random number between two numbers | picks a random integer | takes a lower and an upper bound and returns a random whole number | generates a random integer between low and high, both included | chooses an integer by chance from a given range | draws a random number that is at least low and at most high | produces a random whole number within two limits
def random_number(low, high):
    return random.randint(low, high)


# rolls a die | returns a random number from 1 to 6 | simulates throwing a six-sided die | gives a random result of a dice roll | throws one dice and returns the number of points | picks a whole number between one and six by chance | takes no arguments and imitates the roll of an ordinary die
def roll_die():
    return random.randint(1, 6)


# makes a random password | generates a password of n random characters | creates a password of the given length from random letters and digits | takes a length and returns a random password that long | puts together a secret word out of randomly chosen characters | produces a random string of letters and numbers for use as a password | invents a new password with a certain number of characters
def random_password(length):
    characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(random.choice(characters) for _ in range(length))
