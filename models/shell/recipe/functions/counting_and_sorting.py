"""Counts of letters and words; lists without duplicates, sorted and searched."""


# counts the vowels in a string | returns the number of vowels | tells how many vowels a text has | finds how many of the characters in a string are vowels | takes a word and returns how many vowels it contains | gives the total count of a, e, i, o and u in a text | determines the number of vowels in a given sentence | goes through a string and counts the letters that are vowels
def count_vowels(text):
    return sum(1 for character in text.lower() if character in "aeiou")


# removes the vowels from a string | deletes all vowels of a text | returns a text with all its vowels left out | takes a string and drops each a, e, i, o and u | strips every vowel from a word | gives back only the characters of a string that are not vowels | filters the vowels out of a given text
def remove_vowels(text):
    return "".join(character for character in text if character.lower() not in "aeiou")


# counts the words in a string | returns the number of words in a text | tells how many words a sentence has | finds out how many words are in a given text | takes a sentence and gives back its number of words | determines the total word count of a string | splits a text at whitespace and counts the pieces | gives a single number, how many words a string contains
def count_words(text):
    return len(text.split())


# counts how often each word occurs in a text | returns a dictionary of word frequencies | makes a word count of a text | maps each word of a text to the number of times it appears | builds a dictionary telling how many times every word is used in a string | takes a text and returns the frequency of each word | tallies the occurrences of each separate word in a sentence | gives a dict with words as keys and their counts as values
def word_counts(text):
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


# counts how often each character occurs in a string | returns the frequency of letters | maps each character of a string to the number of times it appears | builds a dictionary with the count of every character in a text | takes a word and tells how many times each of its letters is used | tallies the individual characters of a string | gives a dict with characters as keys and their counts as values
def character_counts(text):
    counts = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return counts


# counts how often a letter occurs in a string | counts a character in a text | takes a text and a letter and returns how many times the letter appears | finds the number of occurrences of one given character in a string | tells how many times a certain letter is in a word | determines how often a particular character shows up in a text | gives the count of a specified letter within a string
def count_letter(text, letter):
    return text.count(letter)


# removes duplicates from a list | returns the unique elements of a list in order | keeps every element of a list only once | drops repeated items from a list and keeps the first of each | takes an array and gives back only its distinct values in their original order | deletes all elements that were already seen earlier in a list | returns a list without any repeated elements | builds a new list where no value appears twice
def remove_duplicates(items):
    seen = set()
    result = []
    for item in items:
        if item not in seen:
            seen.add(item)
            result.append(item)
    return result


# checks whether a list has duplicates | tells if an element occurs twice in a list | determines if any value in an array is repeated | returns True when a list contains the same item more than once | finds out whether some elements of a list are equal to each other | takes a list and says if it contains repeated values | gives False only if all elements of a list are different
def has_duplicates(items):
    return len(items) != len(set(items))


# reverses a list | returns a list in reverse order | turns a list around | flips the order of the elements in an array | takes a list and gives it back from last element to first | returns the items of a list backwards | produces a reversed copy of a list | makes a new list running from the last item back to the first
def reverse_list(items):
    return items[::-1]


# sorts a list of numbers with bubble sort | implements bubble sort | sorts an array by repeatedly swapping adjacent elements that are out of order | uses the bubble sort algorithm to order a list | puts numbers in ascending order with bubble sort | applies bubble sort to a given array | returns a sorted copy of a list, made by swapping neighbours in repeated passes
def bubble_sort(numbers):
    numbers = list(numbers)
    for i in range(len(numbers)):
        for j in range(len(numbers) - 1 - i):
            if numbers[j] > numbers[j + 1]:
                numbers[j], numbers[j + 1] = numbers[j + 1], numbers[j]
    return numbers


# sorts a list with quicksort | implements quicksort | sorts an array by choosing a pivot and splitting around it recursively | uses the quick sort algorithm to order numbers | puts a list in ascending order with quicksort | applies quick sort to a given array | partitions a list into smaller and larger values around a pivot to sort it
def quicksort(numbers):
    if len(numbers) <= 1:
        return numbers
    pivot = numbers[0]
    smaller = [n for n in numbers[1:] if n < pivot]
    larger = [n for n in numbers[1:] if n >= pivot]
    return quicksort(smaller) + [pivot] + quicksort(larger)


# sorts a list with merge sort | implements merge sort | sorts an array by halving it and merging the sorted halves | uses the merge sort algorithm to order numbers | puts a list in ascending order with mergesort | applies merge sort to a given array | splits a list in two, sorts both parts recursively and merges them
def merge_sort(numbers):
    if len(numbers) <= 1:
        return numbers
    middle = len(numbers) // 2
    left = merge_sort(numbers[:middle])
    right = merge_sort(numbers[middle:])
    result = []
    while left and right:
        if left[0] <= right[0]:
            result.append(left.pop(0))
        else:
            result.append(right.pop(0))
    return result + left + right


# sorts a list with insertion sort | implements insertion sort | sorts an array by inserting each element into its place among the earlier ones | uses the insertion sort algorithm to order numbers | puts a list in ascending order with insertion sort | applies insertion sort to a given array | shifts larger values to the right and inserts each number to sort a list
def insertion_sort(numbers):
    numbers = list(numbers)
    for i in range(1, len(numbers)):
        value = numbers[i]
        j = i - 1
        while j >= 0 and numbers[j] > value:
            numbers[j + 1] = numbers[j]
            j -= 1
        numbers[j + 1] = value
    return numbers


# searches a sorted list with binary search | finds the index of a value in a sorted list | implements binary search | looks up a target in a sorted array by halving the search range | uses the binary search algorithm to locate a number | returns the position of a target in an ordered list, or -1 if absent | finds a number in a sorted list by repeatedly checking the middle element | performs a binary search for a target value
def binary_search(numbers, target):
    low, high = 0, len(numbers) - 1
    while low <= high:
        middle = (low + high) // 2
        if numbers[middle] == target:
            return middle
        if numbers[middle] < target:
            low = middle + 1
        else:
            high = middle - 1
    return -1


# finds the index of an element in a list | searches a list from the beginning | implements linear search | returns the position of the first matching item in a list, or -1 | checks the items one after another until the target is found | uses the linear search algorithm to locate a value in an array | goes through an unsorted list and tells at which index a value stands | performs a sequential search for a target
def linear_search(items, target):
    for index, item in enumerate(items):
        if item == target:
            return index
    return -1
